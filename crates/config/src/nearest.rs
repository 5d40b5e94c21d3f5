//! What somebody meant who mistyped a name.

/// The known name with the fewest mistakes in it: at most one in three letters, and one is always allowed.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().collect();
    let near = |name: &'a str| {
        let letters: Vec<char> = name.chars().collect();
        let allowed = (letters.len() / 3).max(1);
        // A key from outside may be a megabyte long.
        let mistakes = (letters.len().abs_diff(typed.len()) <= allowed).then(|| distance(&typed, &letters))?;
        (mistakes <= allowed).then_some((mistakes, name))
    };
    known.into_iter().filter_map(near).min().map(|(_, name)| name)
}

/// How many letters were added, left out, changed or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut left = None;
    for (row, &have) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        let mut diagonal = row;
        let mut beside = row + 1;
        let mut previous = None;
        for (column, (&want, &above)) in to.iter().zip(last.iter().skip(1)).enumerate() {
            let mut cost = (diagonal + usize::from(have != want)).min(above + 1).min(beside + 1);
            if left == Some(want)
                && previous == Some(have)
                && let Some(swapped) = column.checked_sub(1).and_then(|at| before.get(at))
            {
                cost = cost.min(swapped + 1);
            }
            next.push(cost);
            (diagonal, beside, previous) = (above, cost, Some(want));
        }
        (before, last, left) = (last, next, Some(have));
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(one: &str, other: &str) -> usize {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let (one, other) = (letters(one), letters(other));
        assert_eq!(distance(&one, &other), distance(&other, &one));
        distance(&one, &other)
    }

    #[test]
    fn a_distance_counts_letters_that_differ() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("model", "model", 0),
            ("model", "models", 1),
            ("model", "modal", 1),
            ("modle", "model", 1),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(between(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_name_has_at_most_one_mistake_in_three_letters() {
        let known = ["model", "model_provider", "model_providers", "ws"];
        for (typed, expected) in [
            ("modle", Some("model")),
            ("model_provders", Some("model_providers")),
            ("model_provide", Some("model_provider")),
            ("wss", Some("ws")),
            ("mxxel", None),
            ("http", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
    }
}
