//! The audit log: actions of operators and organisers, in the log and in the records.

use super::Cx;
use crate::records::Act;
use crate::telemetry::AUDIT;

impl Cx {
    /// Records an action, before it is carried out: the operator, the action and its target. It is on the operations page.
    ///
    /// The log has it in any case. If the records do not answer, that is logged, too: emergency actions must work without them.
    pub async fn audit(&self, operator: &str, action: &str, target: &str) {
        tracing::warn!(target: AUDIT, operator, action, what = target, "audit: an operator acts");
        let (operator, target) = (operator.to_owned(), target.to_owned());
        let act = Act { at: self.now(), operator, action: action.to_owned(), target };
        if let Err(error) = self.all_records().note_act(&act).await {
            tracing::error!(%error, action, "an action of an operator is not in the records");
        }
    }
}
