//! Questions: what one module asks, and other modules may decide, without knowing each other.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Cx;
use crate::bus::{Owner, guard};
use crate::{Error, Kind};

/// How long a module may take to decide. What it has begun may go on after that, so no other module is asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question. Its type is declared where the module that asks and those that answer can name it.
pub trait Question: Send + Sync + 'static {
    /// Its stable name, for the wiring table and for measurements.
    const NAME: &'static str;
    /// A decision.
    type Answer: Send + 'static;
}

type Deciding<A> = Pin<Box<dyn Future<Output = Result<Option<A>, Error>> + Send>>;
type Decide<Q> = Arc<dyn Fn(Cx, Arc<Q>) -> Deciding<<Q as Question>::Answer> + Send + Sync>;

/// A module that decides a question.
struct Decider {
    priority: i32,
    module: &'static str,
    /// A [`Decide`] of the question's type.
    decide: Box<dyn Any + Send + Sync>,
}

/// The modules that decide, by the type of the question.
#[derive(Default)]
pub(crate) struct Questions(HashMap<TypeId, Vec<Decider>>);

impl Questions {
    pub(in crate::module) fn declare<Q, F>(
        &mut self,
        module: &'static str,
        priority: i32,
        decide: fn(Cx, Arc<Q>) -> F,
    ) where
        Q: Question,
        F: Future<Output = Result<Option<Q::Answer>, Error>> + Send + 'static,
    {
        let decide: Decide<Q> = Arc::new(move |cx, question| Box::pin(decide(cx, question)));
        let deciders = self.0.entry(TypeId::of::<Q>()).or_default();
        deciders.push(Decider { priority, module, decide: Box::new(decide) });
        deciders.sort_by_key(|it| (it.priority, it.module));
    }
}

impl Questions {
    /// Asks the modules that decide a question, until one has an answer; by the context of the one that asks.
    pub(super) async fn ask<Q: Question>(
        &self,
        asker: &Cx,
        question: Q,
    ) -> Result<Option<Q::Answer>, Error> {
        let question = Arc::new(question);
        for decider in self.deciders::<Q>() {
            let answer = decider.answer(asker, &question).await?;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }

    /// Asks all of them, for all their answers.
    pub(super) async fn ask_all<Q: Question>(
        &self,
        asker: &Cx,
        question: Q,
    ) -> Result<Vec<Q::Answer>, Error> {
        let (question, mut answers) = (Arc::new(question), Vec::new());
        for decider in self.deciders::<Q>() {
            answers.extend(decider.answer(asker, &question).await?);
        }
        Ok(answers)
    }

    fn deciders<Q: Question>(&self) -> &[Decider] {
        self.0.get(&TypeId::of::<Q>()).map_or(&[], Vec::as_slice)
    }
}

impl Decider {
    /// `None` if the question is not for this module, or it is off.
    async fn answer<Q: Question>(
        &self,
        asker: &Cx,
        question: &Arc<Q>,
    ) -> Result<Option<Q::Answer>, Error> {
        let (module, cx) = (self.module, asker.of(self.module));
        let Some(decide) = self.decide.downcast_ref::<Decide<Q>>().filter(|_| cx.takes(Q::NAME))
        else {
            return Ok(None);
        };
        let deciding = guard(&cx, Q::NAME, decide(cx.clone(), question.clone()));
        tokio::time::timeout(PATIENCE, deciding).await.unwrap_or_else(|_| {
            tracing::warn!(module, question = Q::NAME, "a module takes too long to decide");
            Err(Kind::UNAVAILABLE.into())
        })
    }
}
