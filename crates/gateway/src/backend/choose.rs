//! Which backends a model is had at, and in which order they are asked.

use responses::error::ApiError;
use transport::ListedModel;

use super::breaker::Standing;
use crate::settings::{Routes, SCRIPTED};

/// What is known of the models of one backend.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    /// What the settings call the backend.
    pub(super) id: Box<str>,
    /// Whether it is there, or taken to be.
    pub(super) present: bool,
    /// What it listed last.
    pub(super) models: Vec<ListedModel>,
    /// Why it lists nothing.
    pub(super) problem: Option<Box<str>>,
}

/// A place where a model is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) backend: &'a str,
    /// What it calls the model.
    pub(super) model: &'a str,
}

/// Where the model of this name is had: as the routes say, else at the backend that the name begins with, else where it
/// is listed.
pub(super) fn places<'a>(model: &'a str, routes: &'a Routes, shelves: &'a [Shelf]) -> Vec<Place<'a>> {
    if let Some(targets) = routes.of(model) {
        let place = |target: &'a crate::settings::Target| Place {
            backend: &target.backend,
            model: target.model.as_deref().unwrap_or(model),
        };
        return targets.iter().map(place).collect();
    }
    let present = || shelves.iter().filter(|shelf| shelf.present);
    let outright = model.split_once('/').filter(|(_, model)| !model.is_empty());
    if let Some((backend, inner)) = outright
        && (backend == SCRIPTED || present().any(|shelf| *shelf.id == *backend))
    {
        return vec![Place { backend, model: inner }];
    }
    if model == SCRIPTED {
        return vec![Place { backend: SCRIPTED, model }];
    }
    let listed = present().filter(|shelf| shelf.models.iter().any(|listed| *listed.id == *model));
    listed.map(|shelf| Place { backend: &shelf.id, model }).collect()
}

/// Those that are well first, each kind in the order it had.
pub(super) fn by_standing<T>(places: &mut [T], standing: impl Fn(&T) -> Standing) {
    places.sort_by_key(|place| match standing(place) {
        // Somebody has to try whether it works again, and if it does not, there are others.
        Standing::Well | Standing::Due => 0,
        Standing::Ill => 1,
    });
}

/// Nobody has a model of this name.
pub(super) fn not_found(model: &str, routes: &Routes, shelves: &[Shelf]) -> ApiError {
    /// How much of a name that makes no sense is said back.
    const MAX_SHOWN: usize = 80;
    let listed = shelves.iter().filter(|shelf| shelf.present).flat_map(|shelf| &shelf.models);
    let known = listed.map(|listed| &*listed.id).chain(routes.names()).chain([SCRIPTED]);
    let advice = match config::nearest(model, known) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "GET /v1/models lists those there are".to_owned(),
    };
    let shown: String = model.chars().take(MAX_SHOWN).collect();
    let message = format!("the model {shown:?} does not exist here: {advice}");
    ApiError::report(404, Some("model_not_found"), Some("model"), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Target;

    fn shelf(id: &str, present: bool, models: &[&str]) -> Shelf {
        let listed = |id: &&str| ListedModel { id: (*id).into(), created: None, window: None };
        Shelf { id: id.into(), present, models: models.iter().map(listed).collect(), problem: None }
    }

    fn world() -> (Routes, Vec<Shelf>) {
        let route =
            |(name, targets): (&str, &[&str])| (name.into(), targets.iter().map(|text| Target::parse(text)).collect());
        let routes = [
            ("fast", &["vllm/qwen3", "openai/gpt-5-mini"][..]),
            ("gpt-*", &["openai", "azure/our-gpt"]),
            ("demo", &["scripted"]),
        ];
        let shelves = vec![
            shelf("azure", true, &["our-gpt"]),
            shelf("openai", true, &["gpt-5", "o9"]),
            shelf("openrouter", true, &["meta/llama", "o9"]),
            shelf("ollama", false, &["gemma"]),
            shelf("vllm", true, &["qwen3", "meta/llama"]),
        ];
        (Routes::new(routes.map(route)), shelves)
    }

    #[test]
    fn where_a_model_is_had() {
        let (routes, shelves) = world();
        for (model, expected) in [
            ("fast", &["vllm/qwen3", "openai/gpt-5-mini"][..]),
            ("gpt-7", &["openai/gpt-7", "azure/our-gpt"]),
            ("demo", &["scripted/demo"]),
            ("scripted", &["scripted/scripted"]),
            ("scripted/slow", &["scripted/slow"]),
            ("vllm/anything", &["vllm/anything"]),
            ("openrouter/meta/llama", &["openrouter/meta/llama"]),
            ("meta/llama", &["openrouter/meta/llama", "vllm/meta/llama"]),
            ("o9", &["openai/o9", "openrouter/o9"]),
            ("gemma", &[]),
            ("ollama/gemma", &[]),
            ("openai/", &[]),
            ("", &[]),
        ] {
            let places = places(model, &routes, &shelves);
            let found: Vec<_> = places.iter().map(|place| format!("{}/{}", place.backend, place.model)).collect();
            assert_eq!(found, expected, "{model}");
        }
    }

    #[test]
    fn those_that_are_ill_come_last_and_are_not_left_out() {
        let mut places = [("a", Standing::Ill), ("b", Standing::Well), ("c", Standing::Due), ("d", Standing::Ill)];
        by_standing(&mut places, |(_, standing)| *standing);
        assert_eq!(places.map(|(name, _)| name), ["b", "c", "a", "d"]);
    }

    #[test]
    fn who_mistypes_a_name_is_told_the_nearest_one() {
        let (routes, shelves) = world();
        for (model, said) in [
            ("qwem3", "did you mean \"qwen3\"?"),
            ("fsat", "did you mean \"fast\"?"),
            ("sripted", "did you mean \"scripted\"?"),
            ("gemna", "GET /v1/models"),
            (&"x".repeat(9000), "GET /v1/models"),
        ] {
            let error = not_found(model, &routes, &shelves);
            assert_eq!((error.status, error.code.as_deref()), (Some(404), Some("model_not_found")));
            assert!(error.message.contains(said) && error.message.len() < 200, "{}", error.message);
        }
    }
}
