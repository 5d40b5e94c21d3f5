//! The real `xtask` in a small repository: clean, and then with one thing wrong at a time.

mod house;

use std::io;

use house::{House, Seen};

fn found(lines: &[&str]) -> Seen {
    Seen { code: Some(1), stdout: lines.join("\n") + "\n", stderr: String::new() }
}

/// What `cargo xtask tidy` says of the clean house after this one file has changed.
fn after(path: &str, text: &str) -> io::Result<Seen> {
    let house = House::new()?;
    house.write(path, text)?;
    house.xtask(&["tidy"])
}

#[test]
fn a_clean_repository_has_no_findings() -> io::Result<()> {
    let stdout = "tidy: 14 files, 2 crates, no findings\n".to_owned();
    assert_eq!(House::new()?.xtask(&["tidy"])?, Seen { code: Some(0), stdout, stderr: String::new() });
    Ok(())
}

#[test]
fn it_works_from_any_folder_of_the_repository() -> io::Result<()> {
    assert_eq!(House::new()?.xtask_in("crates/top/src", &["tidy"])?.code, Some(0));
    Ok(())
}

#[test]
fn what_git_ignores_is_not_looked_at() -> io::Result<()> {
    assert_eq!(after("target/debug/out.rs", "not rust (")?.code, Some(0));
    assert_eq!(after("crates/top/target/out.rs", "not rust (")?.code, Some(0));
    Ok(())
}

#[test]
fn a_file_that_git_has_and_the_disk_has_not_is_not_looked_at() -> io::Result<()> {
    let house = House::new()?;
    house.write("crates/top/src/bad.rs", "not rust (")?;
    house.git(&["add", "crates/top/src/bad.rs"])?;
    house.remove("crates/top/src/bad.rs")?;
    assert_eq!(house.xtask(&["tidy"])?.code, Some(0));
    Ok(())
}

#[test]
fn findings_of_different_checks_are_sorted_by_place() -> io::Result<()> {
    let house = House::new()?;
    house.write("crates/top/src/lib.rs", "// TODO: b\n#![allow(x)]\n// TODO: c\n")?;
    house.remove("STYLE.md")?;
    let seen = house.xtask(&["tidy"])?;
    let places: Vec<&str> = seen.stdout.lines().filter_map(|line| line.split_once(": ")).map(|(at, _)| at).collect();
    let source = ["crates/top/src/lib.rs:1", "crates/top/src/lib.rs:2", "crates/top/src/lib.rs:3"];
    assert_eq!(places, [&["README.md:3", "STYLE.md:1"], &source[..]].concat());
    Ok(())
}

#[test]
fn an_arrow_nobody_decided_is_found() -> io::Result<()> {
    let manifest = house::manifest("base", "[dev-dependencies]\ntop.workspace = true\n");
    let expected = found(&[
        "crates/base/Cargo.toml:10: crates in a circle: base -> top -> base: take one arrow out",
        "crates/base/Cargo.toml:10: no arrow `base` -> `top` under [dev_arrows] in tidy.toml: do without it, or decide \
         it in docs/decisions and add it",
    ]);
    assert_eq!(after("crates/base/Cargo.toml", &manifest)?, expected);
    Ok(())
}

#[test]
fn an_arrow_that_is_listed_and_not_used_is_found() -> io::Result<()> {
    let expected = found(&["tidy.toml:12: [arrows] lists `top` -> `base`, which is not used: remove it"]);
    assert_eq!(after("crates/top/Cargo.toml", &house::manifest("top", ""))?, expected);
    Ok(())
}

#[test]
fn a_new_crate_must_be_listed_and_described() -> io::Result<()> {
    let house = House::new()?;
    house.write("crates/new/Cargo.toml", &house::manifest("new", ""))?;
    house.write("crates/new/src/lib.rs", "//! New.\n")?;
    let expected = found(&[
        "ARCHITECTURE.md:1: `crates/new` is not named: say in one line what it is for",
        "crates/new/Cargo.toml:1: `new` is not under [arrows] in tidy.toml: add a line `new = [...]`",
    ]);
    assert_eq!(house.xtask(&["tidy"])?, expected);
    Ok(())
}

#[test]
fn an_external_crate_that_is_not_allowed_is_found() -> io::Result<()> {
    let manifest = house::manifest("base", "[dependencies]\nserde.workspace = true\ntokio.workspace = true\n");
    let expected = found(&[
        "crates/base/Cargo.toml:11: `base` may not use `tokio`: do without it, or decide it in docs/decisions and add \
         it to [crates.base] in tidy.toml",
    ]);
    assert_eq!(after("crates/base/Cargo.toml", &manifest)?, expected);
    Ok(())
}

#[test]
fn a_version_outside_the_workspace_table_is_found() -> io::Result<()> {
    let manifest = house::manifest("base", "[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n");
    let expected = found(&[
        "crates/base/Cargo.toml:10: `serde` has a version or path of its own: put it under [workspace.dependencies] \
         and write `serde.workspace = true`",
    ]);
    assert_eq!(after("crates/base/Cargo.toml", &manifest)?, expected);
    Ok(())
}

#[test]
fn a_manifest_key_of_its_own_is_found() -> io::Result<()> {
    for (line, key, own) in [
        ("edition.workspace = true\n", "edition", "edition = \"2024\"\n"),
        ("license.workspace = true\n", "license", "license = \"MIT\"\n"),
        ("publish.workspace = true\n", "publish", ""),
        ("[lints]\nworkspace = true\n", "lints", "[lints.rust]\nunsafe_code = \"allow\"\n"),
    ] {
        let manifest = house::manifest("base", "").replace(line, own);
        let message = format!("`{key}` does not come from the workspace: write `{key}.workspace = true`");
        let expected = found(&[&format!("crates/base/Cargo.toml:1: {message}")]);
        assert_eq!(after("crates/base/Cargo.toml", &manifest)?, expected);
    }
    Ok(())
}

#[test]
fn whatever_is_too_big_is_found_in_tests_too() -> io::Result<()> {
    let text = format!(
        "fn long() {{\n{}}}\nfn wide({}) {{}}\nstruct Fat {{ {} }}\n{}",
        "();\n".repeat(69),
        "_: u8, ".repeat(7),
        "f: u8, ".repeat(17),
        "\n".repeat(528)
    );
    let expected = found(&[
        "crates/top/tests/big.rs:1: the body of `long` has 71 lines, the limit is 70: move a step with a name of its \
         own into a function",
        "crates/top/tests/big.rs:72: `wide` has 7 arguments, the limit is 6: pass those that belong together as a \
         struct",
        "crates/top/tests/big.rs:73: `Fat` has 17 fields, the limit is 16: put those that change together into a \
         struct",
        "crates/top/tests/big.rs:601: the file has 601 lines, the limit is 600: split it by what its parts know",
    ]);
    assert_eq!(after("crates/top/tests/big.rs", &text)?, expected);
    Ok(())
}

#[test]
fn a_file_that_does_not_parse_is_found() -> io::Result<()> {
    let seen = after("crates/top/src/lib.rs", "\nfn f( {}\n")?;
    assert_eq!(seen.code, Some(1));
    assert!(seen.stdout.starts_with("crates/top/src/lib.rs:"), "{}", seen.stdout);
    assert!(seen.stdout.contains("not measured, it does not parse"), "{}", seen.stdout);
    Ok(())
}

#[test]
fn marks_that_put_a_rule_off_are_found() -> io::Result<()> {
    let text = "//! Lib.\n#[allow(dead_code)]\nfn f() {}\n#[expect(dead_code)]\nfn g() {} // FIXME\n";
    let expected = found(&[
        "crates/top/src/lib.rs:2: `#[allow]` outlives its cause: write `#[expect(.., reason = \"..\")]`",
        "crates/top/src/lib.rs:4: `#[expect]` says no why: add `reason = \"..\"`",
        "crates/top/src/lib.rs:5: `FIXME` in a comment: do it now, or write an issue and take the comment out",
    ]);
    assert_eq!(after("crates/top/src/lib.rs", text)?, expected);
    Ok(())
}

#[test]
fn a_generated_file_is_found_when_stale_and_clean_when_written_anew() -> io::Result<()> {
    let house = House::new()?;
    house.write("codes.in", "made by `cat codes.in`\nthree\n")?;
    let stale = found(&["docs/codes.txt:2: stale from here on: run `cargo xtask generate`"]);
    assert_eq!(house.xtask(&["tidy"])?, stale);
    let written = Seen { code: Some(0), stdout: "wrote docs/codes.txt\n".to_owned(), stderr: String::new() };
    assert_eq!(house.xtask(&["generate"])?, written);
    assert_eq!(house.xtask(&["tidy"])?.code, Some(0));
    Ok(())
}

#[test]
fn a_generated_file_that_does_not_say_what_makes_it_is_found() -> io::Result<()> {
    let house = House::new()?;
    house.write("codes.in", "one\n")?;
    house.write("docs/codes.txt", "one\n")?;
    let expected =
        found(&["docs/codes.txt:1: the first 3 lines do not say what makes the file: let `cat codes.in` write it"]);
    assert_eq!(house.xtask(&["tidy"])?, expected);
    Ok(())
}

#[test]
fn a_generating_command_that_fails_is_a_finding_and_writes_nothing() -> io::Result<()> {
    let house = House::new()?;
    house.remove("codes.in")?;
    let seen = house.xtask(&["tidy"])?;
    assert_eq!(seen.code, Some(1));
    let start = "tidy.toml:24: the command of docs/codes.txt does not run: make it run: cat failed (exit status: 1)";
    assert!(seen.stdout.starts_with(start), "{}", seen.stdout);
    assert_eq!(house.xtask(&["generate"])?.code, Some(2));
    house.write("codes.in", house::CODES)?;
    assert_eq!(house.xtask(&["tidy"])?.code, Some(0));
    Ok(())
}

#[test]
fn names_in_documents_that_lead_nowhere_are_found() -> io::Result<()> {
    let text =
        "# House\n[a](docs/none.md) [b](STYLE.md#none)\n`crates/none` `just none`\n\n```sh\ncargo xtask none\n```\n";
    let expected = found(&[
        "README.md:2: the link `STYLE.md#none` leads to no heading: `STYLE.md` has no `#none`; correct or remove it",
        "README.md:2: the link `docs/none.md` leads nowhere: correct or remove it",
        "README.md:3: `crates/none` is not in the repository: correct or remove the path",
        "README.md:3: `just none` is no recipe: `just --list` shows them all",
        "README.md:6: `cargo xtask none` is no command: `cargo xtask help` shows them all",
    ]);
    assert_eq!(after("README.md", text)?, expected);
    Ok(())
}

#[test]
fn a_long_architecture_is_found() -> io::Result<()> {
    let expected = found(&["ARCHITECTURE.md:251: 251 lines, the limit is 250: move detail to the crate it belongs to"]);
    assert_eq!(after("ARCHITECTURE.md", &format!("`base` `top`\n{}", "x\n".repeat(250)))?, expected);
    Ok(())
}

#[test]
fn a_gap_in_the_decisions_is_found() -> io::Result<()> {
    let expected = found(&["docs/decisions/0003-c.md:1: no page has the number 0002: number the pages without a gap"]);
    assert_eq!(after("docs/decisions/0003-c.md", "# C\n")?, expected);
    Ok(())
}

#[test]
fn a_repository_that_cannot_be_read_is_trouble_and_not_a_finding() -> io::Result<()> {
    let house = House::new()?;
    house.write("tidy.toml", "limit = 3\n")?;
    let seen = house.xtask(&["tidy"])?;
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(2), ""));
    assert!(seen.stderr.starts_with("xtask: cannot understand tidy.toml: "), "{}", seen.stderr);
    house.remove("tidy.toml")?;
    assert!(house.xtask(&["tidy"])?.stderr.starts_with("xtask: cannot read tidy.toml: "));
    Ok(())
}

#[test]
fn an_unknown_command_is_a_usage_error_that_names_the_nearest() -> io::Result<()> {
    let stderr = "xtask: unknown command `tydi`: did you mean `tidy`? `cargo xtask help` lists them all\n".to_owned();
    assert_eq!(House::new()?.xtask(&["tydi"])?, Seen { code: Some(2), stdout: String::new(), stderr });
    Ok(())
}

#[test]
fn help_lists_every_command() -> io::Result<()> {
    let stdout = "\
cargo xtask COMMAND

  tidy        check the house rules of tidy.toml
  generate    write the generated files named in tidy.toml
  fake-model  start the scripted model server; arguments go to it
  help        print this
"
    .to_owned();
    let expected = Seen { code: Some(0), stdout, stderr: String::new() };
    assert_eq!(House::new()?.xtask(&["help"])?, expected);
    assert_eq!(House::new()?.xtask(&[])?, expected);
    Ok(())
}

#[test]
fn the_fake_model_is_the_one_of_the_testkit_and_its_exit_code_comes_back() -> io::Result<()> {
    let house = House::new()?;
    house.write("crates/testkit/Cargo.toml", &house::manifest("testkit", ""))?;
    let program = "fn main() {\n    println!(\"{:?}\", std::env::args().skip(1).collect::<Vec<_>>());\n    \
                   std::process::exit(7)\n}\n";
    house.write("crates/testkit/src/bin/fake-model.rs", program)?;
    let seen = house.xtask(&["fake-model", "--port", "0"])?;
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(7), "[\"--port\", \"0\"]\n"), "{}", seen.stderr);
    Ok(())
}
