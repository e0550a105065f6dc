//! Switching handler modules off and on, on this pod or on all, while they run.
//!
//! Switches for all pods are in the records, which each pod reads at its start, when an event announces a change, and
//! periodically, in case the event was lost. Switches of one pod last until it restarts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salvo::oapi::ToSchema;
use salvo::{Depot, Request, Response, Writer, handler};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::actions::{Done, audit, is_own_page, operator};
use crate::bus::{BusBuilder, Event, Never, Owner, Reach};
use crate::http::{Answer, Form};
use crate::module::context::{Cx, Off, Switch, Switches};
use crate::records::SwitchedOff;
use crate::{Error, Kind};

/// Interval at which a pod reads the records without an event; also after a failure.
const ROUND: Duration = Duration::from_secs(10);

/// An operator switched a module on all pods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct ModuleSwitched {
    module: String,
    is_on: bool,
}

impl Event for ModuleSwitched {
    const NAME: &'static str = "operations.module-switched";
    const REACH: Reach = Reach::Everywhere;
    type Loss = Never;
}

/// Makes every pod that hears the event read the records.
pub(super) fn wire(bus: &mut BusBuilder<Cx>, own: &Arc<Switch>, switches: &Switches) {
    let by_module: BTreeMap<_, _> =
        switches.all().map(|switch| (switch.module(), switch.clone())).collect();
    let changed = switches.changed.clone();
    bus.view(own, move |event: &ModuleSwitched| {
        if let (Some(switch), true) = (by_module.get(event.module.as_str()), event.is_on) {
            // Also where a pod has switched it off.
            switch.set_here(None);
        }
        changed.notify_one();
    });
}

/// Reads the records now, and then periodically.
pub(crate) async fn poll(cx: &Cx) {
    look(cx).await;
    let its = cx.clone();
    cx.spawn_background(async move {
        loop {
            let _ = timeout(ROUND, its.switches().changed.notified()).await;
            look(&its).await;
        }
    });
}

/// Applies the records; if they do not answer, nothing changes.
async fn look(cx: &Cx) {
    let Ok(off) = cx.records().switched_off().await else { return };
    let off = off.into_iter().map(|SwitchedOff { module, since, operator }| {
        (module, Off { since: since.with_z(), by: operator, everywhere: true })
    });
    cx.switches().set_everywhere(&off.collect());
}

/// `POST /ops/switch`, a form with `module`, `to` (`on` or `off`) and `where` (`pod` or `all`).
#[handler]
pub(super) async fn switch_module(
    cx: Cx,
    req: &mut Request,
    depot: &mut Depot,
    res: &mut Response,
) {
    match switched(&cx, req).await {
        Ok(done) => Answer::new(done).write(req, depot, res).await,
        Err(error) => error.write(req, depot, res).await,
    }
}

async fn switched(cx: &Cx, req: &mut Request) -> Result<Done, Error> {
    is_own_page(req)?;
    let form = Form::of(req, cx).await?;
    let module = form.text("module").unwrap_or_default();
    let switches = cx.switches();
    let switch = switches.get(module).ok_or_else(|| Error::validation("module: unknown module"))?;
    let is_on = match form.text("to") {
        Some("on") => true,
        Some("off") => false,
        _ => return Err(Error::validation("to: must be on or off")),
    };
    let everywhere = match form.text("where") {
        Some("all") => true,
        Some("pod") => false,
        _ => return Err(Error::validation("where: must be pod or all")),
    };
    let is_off_everywhere = switch.off().is_some_and(|off| off.everywhere);
    if is_on && !everywhere && is_off_everywhere {
        return Err(Error::validation(
            "the module is off on all pods: switch it on with where=all",
        ));
    }
    let action = if is_on { "switch on module" } else { "switch off module" };
    let target = format!("{module} ({})", if everywhere { "all pods" } else { "this pod" });
    let operator = operator(req);
    if everywhere {
        remember(cx, switch.module(), is_on, &operator).await?;
    }
    let done = audit(cx, operator.clone(), action, target).await;
    if everywhere {
        let module = module.to_owned();
        cx.bus().announce(ModuleSwitched { module, is_on }).await;
        look(cx).await;
    } else {
        let since = cx.now().with_z();
        switch.set_here((!is_on).then_some(Off { since, by: operator, everywhere }));
    }
    Ok(done)
}

/// Stores a switch for all pods in the records.
async fn remember(cx: &Cx, module: &str, is_on: bool, operator: &str) -> Result<(), Error> {
    let (records, since) = (cx.records(), cx.now());
    let kept = if is_on {
        records.switch_on(module).await
    } else {
        let (module, operator) = (module.to_owned(), operator.to_owned());
        records.switch_off(&SwitchedOff { module, since, operator }).await
    };
    let away =
        "the records are away, so no pod would know after a restart: switch it on this pod alone";
    kept.map_err(|_| Error::new(Kind::UNAVAILABLE, away))
}
