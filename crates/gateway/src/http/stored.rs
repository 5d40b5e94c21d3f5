//! Responses that are there already: looked at, listened to again, stopped, deleted.

use std::sync::Arc;

use responses::error::ApiError;
use responses::id::ResponseId;
use responses::item::{Item, ItemView, Role};
use responses::json::{Json, Object, ObjectWriter, WireError};

use super::create::{now, stream};
use super::front::query;
use super::{JSON, Reply, answer, refused};
use crate::engine::Engine;
use crate::keys::Holder;
use crate::response::log::{Heard, Live, Order};

/// How many items a page has where nothing is said, and at most.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// `GET /responses/{id}`: as it is now, or its events after the one that was heard last.
pub(crate) async fn retrieve(engine: &Arc<Engine>, holder: &Holder, id: &ResponseId, asked: &str) -> Reply {
    let after = query(asked, "starting_after").filter(|text| !text.is_empty());
    let Ok(after) = after.as_deref().map(str::parse::<usize>).transpose() else {
        return refused(&invalid("starting_after", "`starting_after` is the number of an event: 0, 1, 2, …"));
    };
    let from = after.map_or(0, |after| after.saturating_add(1));
    let live = match engine.find_from(&holder.owner, id, from).await {
        Ok(Some(live)) => live,
        Ok(None) => return refused(&unknown(id)),
        Err(error) => return refused(&error),
    };
    if query(asked, "stream").as_deref() != Some("true") {
        // What is not stored can be listened to again, by whoever lost the line to it, and that is all.
        return if live.is_kept() { now(&live) } else { refused(&unknown(id)) };
    }
    if from > live.count() {
        let message = "`starting_after` is beyond the newest event: it is the number of the last one that was heard";
        return refused(&invalid("starting_after", message));
    }
    stream(live.watch(from)).await
}

/// `POST /responses/{id}/cancel`: stops it; answers when it has stopped.
pub(crate) async fn cancel(engine: &Arc<Engine>, holder: &Holder, id: &ResponseId) -> Reply {
    match engine.find(&holder.owner, id).await {
        Ok(Some(live)) if !live.background => {
            let message =
                "only a response that was created with `background: true` can be cancelled: close the line of this one";
            refused(&ApiError::report(400, None, None, message))
        }
        Ok(Some(live)) => {
            let mut watch = live.watch(live.count());
            live.order(Order::Cancel);
            while let Heard::Events(_) = watch.next().await {}
            now(&live)
        }
        Ok(None) => refused(&unknown(id)),
        Err(error) => refused(&error),
    }
}

/// `DELETE /responses/{id}`.
pub(crate) async fn delete(engine: &Arc<Engine>, holder: &Holder, id: &ResponseId) -> Reply {
    match engine.delete(&holder.owner, id).await {
        Ok(true) => {
            let mut text = String::new();
            let mut object = ObjectWriter::begin(&mut text);
            object.field("id", id).field("object", "response").field("deleted", &true);
            object.end();
            answer(200, JSON, text)
        }
        Ok(false) => refused(&unknown(id)),
        Err(error) => refused(&error),
    }
}

/// `GET /responses/{id}/input_items`: a page of what it was asked with.
pub(crate) async fn input_items(engine: &Arc<Engine>, holder: &Holder, id: &ResponseId, asked: &str) -> Reply {
    let live = match engine.find(&holder.owner, id).await {
        Ok(Some(live)) if live.is_kept() => live,
        Ok(_) => return refused(&unknown(id)),
        Err(error) => return refused(&error),
    };
    match page(&live, asked) {
        Ok(text) => answer(200, JSON, text),
        Err(error) => refused(&error),
    }
}

fn page(live: &Live, asked: &str) -> Result<String, ApiError> {
    let limit = query(asked, "limit").map(|limit| limit.parse::<usize>()).transpose();
    let limit = limit.ok().map(|limit| limit.unwrap_or(PAGE)).filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    let limit = limit.ok_or_else(|| invalid("limit", "`limit` is a number from 1 to 100"))?;
    let items = live.run.context.newest(live.run.new_items);
    let named = items.iter().enumerate().map(|(at, item)| listed(item, live, at));
    let mut items = named.collect::<Result<Vec<_>, _>>()?;
    match query(asked, "order").as_deref() {
        None | Some("desc") => items.reverse(),
        Some("asc") => {}
        Some(_) => return Err(invalid("order", "`order` is asc or desc")),
    }
    if let Some(after) = query(asked, "after").filter(|after| !after.is_empty()) {
        let at = items.iter().position(|item| item.id().as_deref() == Some(&*after));
        let at = at.ok_or_else(|| invalid("after", "`after` is not the id of an input item of this response"))?;
        items.drain(..=at);
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let id_of = |item: Option<&Item>| item.and_then(Item::id).map(|id| Json::of(&id));
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("object", "list").field("data", &items);
    object.nullable("first_id", &id_of(items.first())).nullable("last_id", &id_of(items.last()));
    object.field("has_more", &more);
    object.end();
    Ok(text)
}

/// An item as listings have it: with an id, of its place if it came without one; a message with its type and with parts,
/// whatever short form it came in.
fn listed(item: &Item, live: &Live, at: usize) -> Result<Item, ApiError> {
    let told = |error: WireError| ApiError::report(500, None, None, error.to_string());
    let mut object = Object::parse(item.text()).map_err(told)?;
    let id = Json::of(&format!("item_{}_{at}", live.id.as_str().trim_start_matches("resp_")));
    if item.id().is_none() {
        object.set("id", id.text());
    }
    let parts = match item.view() {
        ItemView::Message(message) => {
            object.set("type", r#""message""#);
            if object.get("status").is_none() {
                object.set("status", r#""completed""#);
            }
            let kind = if message.role == Role::Assistant { "output_text" } else { "input_text" };
            object.get("content").filter(|content| content.starts_with('"')).map(|text| one_part(kind, text))
        }
        _ => None,
    };
    if let Some(parts) = &parts {
        object.set("content", parts);
    }
    Item::keep(Json::of(&object).text()).map_err(told)
}

fn one_part(kind: &str, text: &str) -> String {
    let mut parts = String::from("[");
    let mut part = ObjectWriter::begin(&mut parts);
    part.field("type", kind).raw("text", text);
    if kind == "output_text" {
        part.raw("annotations", "[]");
    }
    part.end();
    parts.push(']');
    parts
}

fn unknown(id: &ResponseId) -> ApiError {
    let shown: String = id.as_str().chars().take(80).collect();
    let message = format!("response `{shown}` is not known here: it was not stored, was deleted, or is too old");
    ApiError::report(404, Some("response_not_found"), None, message)
}

fn invalid(param: &str, message: &str) -> ApiError {
    ApiError::report(400, Some("invalid_value"), Some(param), message)
}
