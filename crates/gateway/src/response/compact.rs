//! A response that compacts: because its request asks for nothing else, or before its model is asked.

use std::sync::Arc;

use responses::error::ApiError;
use responses::request::IDEMPOTENCY_KEY;
use tokio::time::timeout;

use super::run::{HOLD_BACK, Run, Stop};
use super::shape::Ending;
use crate::backend::{Ask, Candidate};
use crate::compacting::{Summary, summarise};
use crate::compaction::{self, Limits, Opened, Why, finish, opened, plan, wants};

impl Run {
    /// What a backend is asked.
    pub(super) fn ask(&self, candidate: &Candidate) -> Result<Ask, ApiError> {
        let Opened { items, new_items, .. } = self.opened(candidate)?;
        let run = &self.live.run;
        // If the past was written anew, no line to a backend knows it.
        let previous = run.previous.clone().filter(|_| new_items < items.len());
        let mut request = Arc::clone(&run.request);
        if request.prompt.context_management.is_some() {
            // It was done here: to do it once more would be to do it twice.
            Arc::make_mut(&mut request).prompt.context_management = None;
        }
        if request.extra.iter().any(|(key, _)| &**key == IDEMPOTENCY_KEY) {
            Arc::make_mut(&mut request).extra.retain(|(key, _)| &**key != IDEMPOTENCY_KEY);
        }
        Ok(Ask { model: candidate.model().into(), request, previous, items, new_items })
    }

    fn opened(&self, candidate: &Candidate) -> Result<Opened, ApiError> {
        let run = &self.live.run;
        let new_items = run.new_items + (self.context.len() - run.context.len());
        opened(self.context.to_vec(), new_items, &self.engine.seal, &self.live.owner, candidate.is_native())
    }

    /// Compacts if that is wanted. Gives the end of the response, if that is all that is wanted.
    pub(super) async fn compacted(&mut self, candidates: &[Candidate]) -> Result<Option<Stop>, ApiError> {
        let Some(candidate) = candidates.first() else { return Ok(None) };
        let limits = Limits::default();
        let opened = self.opened(candidate)?;
        let request = self.live.run.request.clone();
        let Some(why) = wants(&opened, &request, self.engine.usage_before(&self.live), &limits)? else {
            return Ok(None);
        };
        let plan = plan(&opened, &request, why, &limits)?;
        let (engine, id) = (self.engine.clone(), self.engine.fresh_id("cmp_"));
        let is_all = why == Why::Trigger;
        let mut summarising = Box::pin(summarise(&engine, candidates, &plan));
        let summary = match self.unless_ordered(timeout(HOLD_BACK, summarising.as_mut())).await {
            Err(stop) => return Ok(Some(stop)),
            Ok(Ok(summary)) => summary,
            Ok(Err(_)) => {
                // It takes its time, and the client should know that it was accepted.
                self.begin();
                match self.unless_ordered(summarising).await {
                    Err(stop) => return Ok(Some(stop)),
                    Ok(summary) => summary,
                }
            }
        };
        let finish = |summary: &Summary| finish(&plan, &summary.text, &id, &engine.seal, &self.live.owner);
        let (summary, item) = match summary.and_then(|summary| Ok((finish(&summary)?, summary))) {
            Ok((item, summary)) => (summary, item),
            // It was not asked for by itself, and the turn may fit all the same.
            Err(error) if !is_all => {
                tracing::warn!(response = %self.live.id, %error, "a conversation could not be compacted");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.begin();
        for event in [compaction::added(&id, 0), compaction::compacting(&id, 0), compaction::done(&item, 0)] {
            self.own(&event);
        }
        self.shape.after_own_item();
        self.context = self.context.with(vec![item]);
        Ok(is_all.then_some(Stop::Ending(Ending::Whole(Some(summary.usage)))))
    }

    /// An event of our own making.
    fn own(&mut self, event: &str) {
        self.shape.take(event, &mut self.out);
        self.live.say(&mut self.out);
    }
}
