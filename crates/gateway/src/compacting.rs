//! Compactions, carried out: a model is asked for a summary.

use std::sync::Arc;

use responses::error::ApiError;
use responses::event::ServerEvent;
use responses::fold::{Fold, FoldError, Folded, Response};
use responses::json::ObjectWriter;
use responses::usage::Usage;

use crate::backend::{Ask, Candidate, Said, Source, may_fail_over};
use crate::compaction::{Limits, Plan, Why, compact_response, estimate_tokens, finish, opened, plan, summary};
use crate::engine::{Engine, since_1970};
use crate::http::create::{read, whole};
use crate::keys::Holder;

/// What a model wrote, and what it cost.
pub(crate) struct Summary {
    pub(crate) text: String,
    pub(crate) usage: Usage,
}

/// Asks one backend after the other, until one writes a summary.
pub(crate) async fn summarise(engine: &Engine, candidates: &[Candidate], plan: &Plan) -> Result<Summary, ApiError> {
    let request = Arc::new(plan.ask.clone());
    let mut trouble = None;
    for candidate in candidates {
        let (items, new_items) = (plan.items.clone(), plan.items.len());
        let ask =
            Ask { model: candidate.model().into(), request: Arc::clone(&request), previous: None, items, new_items };
        let response = answer(engine.backends.begin(candidate, ask)).await;
        match response.and_then(|response| Ok((summary(response.output())?, response.usage().unwrap_or_default()))) {
            Ok((text, usage)) => {
                engine.backends.succeeded(candidate);
                return Ok(Summary { text, usage });
            }
            Err(error) => {
                engine.backends.failed(candidate, &error);
                let goes_on = may_fail_over(&error);
                trouble = Some(error);
                if !goes_on {
                    break;
                }
            }
        }
    }
    Err(trouble
        .unwrap_or_else(|| ApiError::report(503, Some("backend_unavailable"), None, "no backend can summarise now")))
}

/// All that a source says, as one response.
async fn answer(mut source: Source) -> Result<Response, ApiError> {
    let mut fold = Fold::default();
    let senseless = |error: FoldError| match error {
        FoldError::Refused(error) => *error,
        error => ApiError::report(502, Some("server_error"), None, format!("the summary makes no sense: {error}")),
    };
    loop {
        match source.next().await {
            Said::Event(text) => {
                let event = ServerEvent::parse(&text).map_err(|error| senseless(error.into()))?;
                if fold.push(&event).map_err(senseless)? == Folded::Ended {
                    break;
                }
            }
            Said::Failed(error) => return Err(*error),
            Said::Ended | Said::Steered => break,
        }
    }
    let response = fold.finish().map_err(senseless)?;
    match response.error() {
        Some(error) => Err(error.clone()),
        None => Ok(response),
    }
}

/// `POST /responses/compact`.
pub(crate) async fn compact(engine: &Arc<Engine>, holder: &Holder, body: &str) -> Result<String, ApiError> {
    let run = whole(engine, holder, read(body)?).await?;
    let (holder, candidates) = engine.candidates(holder, &run.request).await?;
    let native = candidates.first().is_some_and(Candidate::is_native);
    let opened = opened(run.context.to_vec(), run.new_items, &engine.seal, &holder.owner, native)?;
    let plan = plan(&opened, &run.request, Why::Asked, &Limits::default())?;
    let _ticket = engine.turn(&holder).await?;
    let summary = summarise(engine, &candidates, &plan).await?;
    let item = finish(&plan, &summary.text, &engine.fresh_id("cmp_"), &engine.seal, &holder.owner)?;
    Ok(compact_response(&engine.fresh_id("resp_"), since_1970().as_secs(), &plan, &item, summary.usage))
}

/// `POST /responses/input_tokens`: an estimate, for no backend is asked.
pub(crate) async fn input_tokens(engine: &Arc<Engine>, holder: &Holder, body: &str) -> Result<String, ApiError> {
    let run = whole(engine, holder, read(body)?).await?;
    if let Some(model) = run.request.model() {
        holder.may_use(&model)?;
    }
    let opened = opened(run.context.to_vec(), run.new_items, &engine.seal, &holder.owner, true)?;
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("object", "response.input_tokens");
    object.field("input_tokens", &estimate_tokens(&opened.items, &run.request));
    object.end();
    Ok(text)
}
