//! What to ask a model for, and what stays word for word.

use std::collections::HashSet;

use responses::error::ApiError;
use responses::id::CallId;
use responses::item::{Content, Item, ItemKind, ItemView, Part, Role};
use responses::json::Json;
use responses::request::{Delivery, Request};

use super::checkpoint::{Checkpoint, Covers};
use super::opened::{is_said, is_standing};
use super::shorten::{cut, shortened};
use super::{Limits, Opened, Why};
use crate::Owner;
use crate::seal::Seal;

/// What the model is asked for.
const PROMPT: &str = include_str!("prompt.txt");

/// A compaction that is under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The settings of the request for a summary.
    pub(crate) ask: Request,
    /// The items of that request. All are new, and it goes on from nothing.
    pub(crate) items: Vec<Item>,
    standing: Vec<Item>,
    said: Vec<Item>,
    turn: Vec<Item>,
    covers: Option<Covers>,
    summary_bytes: usize,
}

impl Plan {
    /// The user's messages that stay, as `/compact` gives them back.
    pub(crate) fn said(&self) -> &[Item] {
        &self.said
    }

    /// All that stays: the operator's items, the user's messages, where the turn stands.
    #[cfg(test)]
    pub(super) fn retained(&self) -> impl Iterator<Item = &Item> {
        self.standing.iter().chain(&self.said).chain(&self.turn)
    }
}

/// Plans a compaction of what a model would see.
pub(crate) fn plan(opened: &Opened, request: &Request, why: Why, limits: &Limits) -> Result<Plan, ApiError> {
    if opened.items.is_empty() {
        let message = "there is nothing to compact: send `input` or `previous_response_id`";
        return Err(ApiError::report(400, Some("missing_required_parameter"), Some("input"), message));
    }
    let parts = Parts::of(opened, why, limits);
    Ok(Plan {
        ask: ask(request, limits),
        items: conversation(&opened.items, limits),
        standing: parts.standing,
        said: parts.said,
        turn: parts.turn,
        covers: (why != Why::Asked).then(|| opened.covers.clone()),
        summary_bytes: limits.summary_bytes,
    })
}

/// What the model wrote, from the output of its response; an error if that is no summary.
pub(crate) fn summary(output: &[Item]) -> Result<String, ApiError> {
    let mut text = String::new();
    for item in output {
        let ItemView::Message(message) = item.view() else { continue };
        if matches!(&message.content, Content::Parts(parts) if parts.iter().any(|part| matches!(part, Part::Refusal(_))))
        {
            return Err(failed("the model declined to summarise the conversation: use another model"));
        }
        text.push_str(&message.content.to_text());
    }
    Ok(text)
}

/// The compaction item. The id is the caller's: the item may have been announced by it.
pub(crate) fn finish(plan: &Plan, summary: &str, id: &str, seal: &Seal, owner: &Owner) -> Result<Item, ApiError> {
    let summary = summary.trim();
    if summary.is_empty() {
        return Err(failed(
            "the model wrote no summary, and the conversation stays as it is: try again, or use another model",
        ));
    }
    let checkpoint = Checkpoint {
        summary: cut(summary, plan.summary_bytes),
        standing: plan.standing.clone(),
        said: plan.said.clone(),
        turn: plan.turn.clone(),
        covers: plan.covers.clone(),
    };
    let sealed = seal.seal(owner, checkpoint.to_text().as_bytes()).map_err(|error| failed(&error.to_string()))?;
    super::say::item(id, &sealed).map_err(|error| failed(&error.to_string()))
}

fn failed(message: &str) -> ApiError {
    ApiError::report(500, Some("server_error"), None, format!("the conversation was not compacted: {message}"))
}

/// What becomes of each item.
pub(super) struct Parts<'a> {
    standing: Vec<Item>,
    said: Vec<Item>,
    turn: Vec<Item>,
    /// What is left to the summary, thoughts and an older summary aside.
    pub(super) spent: Vec<&'a Item>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(opened: &'a Opened, why: Why, limits: &Limits) -> Self {
        let items = &opened.items;
        let in_turn = turn(opened, why);
        let is_open = |at: &usize| !in_turn.contains(at) && opened.summary != Some(*at);
        let open = || items.iter().enumerate().filter(|(at, _)| is_open(at));

        // A threshold is for all of what stays: a quarter of it, in tokens, is for what the user said.
        let said_bytes = match why {
            Why::Threshold(tokens) => limits.said_bytes.min(usize::try_from(tokens).unwrap_or(usize::MAX)),
            Why::Asked | Why::Trigger => limits.said_bytes,
        };
        let standing = newest(open().filter(|(_, item)| is_standing(item)), limits.standing_bytes);
        let said = newest(open().filter(|(_, item)| is_said(item)), said_bytes);
        let stays: HashSet<usize> = standing.iter().chain(&said).map(|(at, _)| *at).collect();
        let spent = open().filter(|(at, item)| !stays.contains(at) && item.kind() != ItemKind::Reasoning);
        Self {
            spent: spent.map(|(_, item)| item).collect(),
            standing: standing.into_iter().map(|(_, item)| item).collect(),
            said: said.into_iter().map(|(_, item)| item).collect(),
            turn: items
                .iter()
                .enumerate()
                .filter(|(at, _)| in_turn.contains(at))
                .map(|(_, item)| item.clone())
                .collect(),
        }
    }
}

/// The newest of the items, as many as have room. One that has none is shortened to half of what is left, if that is
/// worth it; a smaller one before it may have room still.
fn newest<'a>(items: impl DoubleEndedIterator<Item = (usize, &'a Item)>, mut room: usize) -> Vec<(usize, Item)> {
    const WORTH_IT: usize = 1 << 10;
    let mut kept = Vec::new();
    for (at, item) in items.rev() {
        let half = room / 2;
        let short = (item.text().len() > room && half >= WORTH_IT).then(|| shortened(item, half));
        let item = short.unwrap_or_else(|| item.clone());
        if let Some(left) = room.checked_sub(item.text().len()) {
            room = left;
            kept.push((at, item));
        }
    }
    kept.reverse();
    kept
}

/// Where the turn stands: calls without an answer, answers the model has not seen, their calls, and the thoughts that
/// led to these. If the turn goes on at once, all else that is new to the model as well.
fn turn(opened: &Opened, why: Why) -> HashSet<usize> {
    let items = &opened.items;
    let goes_on = matches!(why, Why::Threshold(_));
    let first_new = first_new(opened);
    let answered: HashSet<CallId> = items.iter().filter_map(Item::answers).collect();
    let made: HashSet<CallId> = items.iter().filter_map(call_of).collect();
    let is_new = |at: usize, item: &Item| match item.answers() {
        Some(call) => at >= first_new && made.contains(&call),
        None => goes_on && at >= first_new,
    };
    let new: HashSet<CallId> = items.iter().skip(first_new).filter_map(Item::answers).collect();
    let waits = |item: &Item| call_of(item).is_some_and(|call| !answered.contains(&call) || new.contains(&call));

    let mut kept: HashSet<usize> = HashSet::new();
    let mut thoughts = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if item.kind() == ItemKind::Reasoning {
            thoughts.push(at);
            continue;
        }
        if waits(item) {
            kept.extend(thoughts.drain(..));
            kept.insert(at);
        } else if is_new(at, item) {
            kept.insert(at);
        }
        if call_of(item).is_none() {
            thoughts.clear();
        }
    }
    kept
}

/// Where that begins which the model has not seen. What came since the previous response is new, and so is what was said
/// before it without an answer; where nothing is known of a previous response, what follows the model's last item.
fn first_new(opened: &Opened) -> usize {
    let after = |last: Option<usize>| last.map_or(0, |last| last + 1);
    let items = &opened.items;
    let unanswered = after(items.iter().rposition(|item| !is_from_the_client(item)));
    let old = items.len().saturating_sub(opened.new_items);
    let first = if old > 0 { unanswered.min(old) } else { unanswered };
    first.max(after(opened.summary))
}

/// Whether the client made the item, and not the model or the server.
fn is_from_the_client(item: &Item) -> bool {
    match item.view() {
        ItemView::Message(message) => message.role != Role::Assistant,
        ItemView::AdditionalTools(_)
        | ItemView::ConfigurationUpdate(_)
        | ItemView::ItemReference(_)
        | ItemView::AgentMessage(_) => true,
        _ => item.answers().is_some(),
    }
}

/// The call an item makes, also one the model does not wait for.
fn call_of(item: &Item) -> Option<CallId> {
    match item.view() {
        ItemView::FunctionCall(call) => Some(call.call_id),
        ItemView::CustomToolCall(call) => Some(call.call_id),
        _ => item.call(),
    }
}

/// The settings of the request for a summary: the model and what it was told as before, so that it knows what it reads;
/// no tools, hence no choice among them; plain text; nothing kept.
fn ask(request: &Request, limits: &Limits) -> Request {
    let mut ask = Request { input: None, previous_response_id: None, ..request.clone() };
    ask.retention.conversation = None;
    ask.retention.store = Some(Json::of(&false));
    let prompt = &mut ask.prompt;
    for field in [
        &mut prompt.tools,
        &mut prompt.tool_choice,
        &mut prompt.parallel_tool_calls,
        &mut prompt.max_tool_calls,
        &mut prompt.text,
        &mut prompt.include,
        &mut prompt.context_management,
        &mut prompt.truncation,
        &mut ask.sampling.top_logprobs,
        &mut ask.service.prompt_cache_options,
        &mut ask.service.metadata,
    ] {
        *field = None;
    }
    ask.sampling.max_output_tokens = Some(Json::of(&limits.summary_tokens));
    ask.delivery = Delivery::default();
    ask
}

/// The conversation as the summarising model sees it, and what it is asked for. What is too long and has no text that
/// could be shortened is left out.
fn conversation(items: &[Item], limits: &Limits) -> Vec<Item> {
    let seen = items.iter().filter(|item| is_for_the_summary(item)).map(|item| shortened(item, limits.item_bytes));
    let seen = paired(seen.filter(|item| item.text().len() <= limits.item_bytes).collect());
    let mut items = paired(without_the_middle(seen, limits.asked_bytes));
    items.push(Item::user(PROMPT.trim_end()));
    items
}

/// Thoughts are behind; tools and settings are not to be taken up again.
fn is_for_the_summary(item: &Item) -> bool {
    !matches!(item.kind(), ItemKind::Reasoning | ItemKind::AdditionalTools | ItemKind::ConfigurationUpdate)
}

/// The beginning and the newest of the items, within so many bytes; a quarter of them is for the beginning.
fn without_the_middle(mut items: Vec<Item>, limit: usize) -> Vec<Item> {
    let size = |item: &Item| item.text().len();
    if items.iter().map(size).sum::<usize>() <= limit {
        return items;
    }
    let within = |limit: usize| {
        let mut room = limit;
        move |item: &&Item| {
            let fits = size(item) <= room;
            room = room.saturating_sub(size(item));
            fits
        }
    };
    let head = items.iter().take_while(within(limit / 4)).count();
    let used: usize = items.iter().take(head).map(size).sum();
    let tail = items.iter().skip(head).rev().take_while(within(limit - used)).count();
    let gone = items.len() - head - tail;
    let note = format!("[items of the conversation left out here, for want of room: {gone}]");
    items.splice(head..head + gone, [Item::message(&Role::Developer, &note)]);
    items
}

/// The items without calls that nothing answers, and without answers that no call is there for.
fn paired(items: Vec<Item>) -> Vec<Item> {
    let answered: HashSet<CallId> = items.iter().filter_map(Item::answers).collect();
    let made: HashSet<CallId> = items.iter().filter_map(call_of).collect();
    let is_whole = |item: &Item| {
        item.answers().is_none_or(|call| made.contains(&call))
            && call_of(item).is_none_or(|call| answered.contains(&call))
    };
    items.into_iter().filter(is_whole).collect()
}
