//! Whether a request compacts.

use std::borrow::Cow;

use responses::error::ApiError;
use responses::json::{Json, Object, Raw, WireError};
use responses::request::Request;
use responses::usage::Usage;

use super::estimate::{estimate_tokens, item_tokens};
use super::plan::Parts;
use super::{Limits, Opened, Why};

/// A compaction must make room for at least this part of the threshold. Where what must stay is over the threshold
/// already, each turn would compact anew otherwise, and gain nothing.
const LEAST_GAIN: u64 = 8;

/// Whether the conversation is to be compacted before the model goes on: because the client says so by a trigger, or
/// because it is over the threshold of `context_management`. `known` is what the previous response used.
pub(crate) fn wants(
    opened: &Opened,
    request: &Request,
    known: Option<Usage>,
    limits: &Limits,
) -> Result<Option<Why>, ApiError> {
    if !request.generate() {
        return Ok(None);
    }
    if opened.trigger {
        return Ok(Some(Why::Trigger));
    }
    let Some(threshold) = threshold(request, limits)? else { return Ok(None) };
    if size(opened, request, known) < threshold {
        return Ok(None);
    }
    let why = Why::Threshold(threshold);
    let gain: u64 = Parts::of(opened, why, limits).spent.iter().map(|item| item_tokens(item)).sum();
    Ok((gain >= (threshold / LEAST_GAIN).max(1)).then_some(why))
}

/// What was counted, and an estimate of what came since; an estimate of all, if nothing was counted of just this.
fn size(opened: &Opened, request: &Request, known: Option<Usage>) -> u64 {
    let old = opened.items.len().saturating_sub(opened.new_items);
    match known.filter(|_| old > 0) {
        Some(usage) => usage.total.saturating_add(opened.items.iter().skip(old).map(item_tokens).sum()),
        None => estimate_tokens(&opened.items, request),
    }
}

fn threshold(request: &Request, limits: &Limits) -> Result<Option<u64>, ApiError> {
    const FIELD: &str = "context_management";
    let Some(json) = request.prompt.context_management.as_ref().filter(|json| !json.is_null()) else {
        return Ok(None);
    };
    read(json, limits).map_err(|error| {
        let message = format!("{}: send [{{\"type\":\"compaction\",\"compact_threshold\":N}}]", error.in_field(FIELD));
        ApiError::report(400, Some("invalid_value"), Some(FIELD), message)
    })
}

fn read(json: &Json, limits: &Limits) -> Result<Option<u64>, WireError> {
    let mut threshold = None;
    for entry in json.read::<Vec<Raw<'_>>>()? {
        let entry = Object::parse(entry.0)?;
        let kind: Cow<'_, str> = entry.read("type")?;
        if kind != "compaction" {
            let found = kind.into_owned();
            return Err(WireError::Shape { expected: "the type `compaction`", found }.in_field("type"));
        }
        threshold = Some(entry.read::<Option<u64>>("compact_threshold")?.unwrap_or(limits.threshold));
    }
    Ok(threshold)
}
