//! What `cargo xtask` can be asked to do.

use anyhow::bail;

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Task<'a> {
    /// Check the house rules.
    Tidy,
    /// Write the generated files anew.
    Generate,
    /// Start the scripted model server with these arguments.
    FakeModel(&'a [String]),
    /// Print the commands.
    Help,
}

/// Every command with what it does, in the order of the help. Documents may name these and no others.
pub(crate) const COMMANDS: [(&str, &str); 4] = [
    ("tidy", "check the house rules of tidy.toml"),
    ("generate", "write the generated files named in tidy.toml"),
    ("fake-model", "start the scripted model server; arguments go to it"),
    ("help", "print this"),
];

/// Understands the command line; no command at all is a wish for help.
pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Task<'_>> {
    let Some((name, rest)) = arguments.split_first() else {
        return Ok(Task::Help);
    };
    let task = match name.as_str() {
        "tidy" => Task::Tidy,
        "generate" => Task::Generate,
        "fake-model" => return Ok(Task::FakeModel(rest)),
        "help" | "--help" | "-h" => Task::Help,
        unknown => {
            bail!("unknown command `{unknown}`: did you mean `{}`? `cargo xtask help` lists them all", nearest(unknown))
        }
    };
    if let Some(extra) = rest.first() {
        bail!("`{name}` takes no arguments, not `{extra}`: run `cargo xtask {name}`");
    }
    Ok(task)
}

/// The text of `cargo xtask help`.
pub(crate) fn help() -> String {
    let lines = COMMANDS.iter().map(|(name, what)| format!("  {name:<12}{what}\n"));
    format!("cargo xtask COMMAND\n\n{}", lines.collect::<String>())
}

fn nearest(word: &str) -> &'static str {
    let names = COMMANDS.iter().map(|(name, _)| *name);
    names.min_by_key(|name| distance(word, name)).unwrap_or("help")
}

/// Levenshtein distance, one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (deleted, letter) in from.chars().enumerate() {
        let mut next = vec![deleted + 1];
        for ((other, above_left), above) in to.chars().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            let replaced = above_left + usize::from(letter != other);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_command_of_the_table_is_understood() {
        for (name, _) in COMMANDS {
            assert!(parse(&words(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn no_command_is_a_wish_for_help() {
        assert_eq!(parse(&[]).unwrap(), Task::Help);
    }

    #[test]
    fn the_fake_model_gets_its_arguments_untouched() {
        let line = words("fake-model --port 0 tidy");
        assert_eq!(parse(&line).unwrap(), Task::FakeModel(&words("--port 0 tidy")));
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_nearest() {
        let error = parse(&words("tydi")).unwrap_err().to_string();
        assert_eq!(error, "unknown command `tydi`: did you mean `tidy`? `cargo xtask help` lists them all");
        assert_eq!(nearest("fakemodel"), "fake-model");
        assert_eq!(nearest("generat"), "generate");
    }

    #[test]
    fn an_argument_nobody_asked_for_is_refused() {
        let error = parse(&words("tidy --fix")).unwrap_err().to_string();
        assert_eq!(error, "`tidy` takes no arguments, not `--fix`: run `cargo xtask tidy`");
    }

    #[test]
    fn distance_counts_changed_letters() {
        assert_eq!(distance("tidy", "tidy"), 0);
        assert_eq!(distance("tdy", "tidy"), 1);
        assert_eq!(distance("tydi", "tidy"), 2);
        assert_eq!(distance("", "help"), 4);
        assert_eq!(distance("help", ""), 4);
        assert_eq!(distance("xxhelp", "help"), 2);
        assert_eq!(distance("abc", "xyz"), 3);
    }
}
