//! Which model goes where, by name and by pattern.

/// What stands for any letters in a pattern.
const ANY: char = '*';

/// The table `[gateway.models]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Exact names first, then patterns, the most specific one first.
    routes: Vec<(Box<str>, Vec<Target>)>,
}

/// Where a model is had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// At which backend.
    pub backend: Box<str>,
    /// What the backend calls it; without this, it is called there as it is here.
    pub model: Option<Box<str>>,
}

impl Target {
    /// Reads `backend` or `backend/model`. The name of a model may have slashes, that of a backend has none.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some((backend, model)) => Self { backend: backend.into(), model: Some(model.into()) },
            None => Self { backend: text.into(), model: None },
        }
    }
}

impl Routes {
    /// Routes in the order in which they are looked at, whatever the order in which they were written.
    pub fn new(routes: impl IntoIterator<Item = (Box<str>, Vec<Target>)>) -> Self {
        let mut routes: Vec<_> = routes.into_iter().collect();
        routes.sort_by_cached_key(|(name, _)| {
            let letters = name.chars().filter(|letter| *letter != ANY).count();
            (is_pattern(name), std::cmp::Reverse(letters), name.clone())
        });
        Self { routes }
    }

    /// Where the model of this name is had, the first choice first.
    pub fn of(&self, model: &str) -> Option<&[Target]> {
        let route =
            self.routes.iter().find(|(name, _)| if is_pattern(name) { matches(name, model) } else { **name == *model });
        route.map(|(_, targets)| targets.as_slice())
    }

    /// The names that are no patterns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|(name, _)| &**name).filter(|name| !is_pattern(name))
    }

    /// Every target there is.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.routes.iter().flat_map(|(_, targets)| targets)
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(ANY)
}

/// Whether a name fits a pattern: each `*` stands for any letters, or none.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(ANY) else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once(ANY).unwrap_or(("", rest));
    // What comes earliest leaves most for what comes after.
    for part in middle.split(ANY) {
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters_or_none() {
        for (pattern, name, fits) in [
            ("gpt-*", "gpt-5.6", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "my-gpt-5", false),
            ("*", "", true),
            ("*", "anything/at/all", true),
            ("*-mini", "gpt-5-mini", true),
            ("*-mini", "mini", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a**b", "ab", true),
            ("*b*", "abc", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_name_goes_before_a_pattern_and_a_narrow_pattern_before_a_wide_one() {
        let route = |name: &str| (Box::from(name), vec![Target::parse(name)]);
        let routes = Routes::new(["*", "gpt-*", "gpt-5*", "*-mini", "gpt-5"].map(route));
        for (model, expected) in
            [("gpt-5", "gpt-5"), ("gpt-5-mini", "*-mini"), ("gpt-5.1", "gpt-5*"), ("gpt-4", "gpt-*"), ("llama", "*")]
        {
            let targets = routes.of(model).unwrap();
            assert_eq!(&*targets[0].backend, expected, "{model}");
        }
        assert_eq!(routes.names().collect::<Vec<_>>(), ["gpt-5"]);
        assert_eq!(Routes::default().of("m"), None);
    }

    #[test]
    fn the_name_of_a_model_may_have_slashes() {
        let target =
            |backend: &str, model: Option<&str>| Target { backend: backend.into(), model: model.map(Into::into) };
        assert_eq!(Target::parse("openrouter/meta/llama"), target("openrouter", Some("meta/llama")));
        assert_eq!(Target::parse("openai"), target("openai", None));
    }
}
