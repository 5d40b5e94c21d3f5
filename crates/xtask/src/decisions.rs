//! The decision pages are numbered from 0001, without gap or repeat, so that a number names one page for ever.

use std::cmp::Ordering;

use crate::finding::Finding;
use crate::repository::Repository;
use crate::rules::Rules;

const FOLDER: &str = "docs/decisions/";

/// A page whose number is not the next one.
pub(crate) fn check(repository: &Repository, _: &Rules) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut next = 1;
    let mut pages: Vec<&str> = repository.ending(".md").filter_map(|file| file.path.strip_prefix(FOLDER)).collect();
    pages.sort_unstable();
    for page in pages.into_iter().filter(|page| *page != "README.md") {
        let mut found = |message: String| findings.push(Finding::new(format!("{FOLDER}{page}"), 1, message));
        let Some(number) = number(page) else {
            found("not a page name: call it NNNN-title.md, in small letters, digits and dashes".to_owned());
            continue;
        };
        match number.cmp(&next) {
            Ordering::Less => {
                found(format!("the number {number:04} is taken: rename this page to the next free number"));
            }
            Ordering::Equal => next += 1,
            Ordering::Greater => {
                found(format!("no page has the number {next:04}: number the pages without a gap"));
                next = number + 1;
            }
        }
    }
    findings
}

fn number(page: &str) -> Option<usize> {
    let (digits, title) = page.strip_suffix(".md")?.split_once('-')?;
    let is_number = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_title = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (is_number && !title.is_empty() && title.bytes().all(is_title)).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{printed, repository, rules};

    fn findings(pages: &[&str]) -> Vec<String> {
        let pages: Vec<String> = pages.iter().map(|page| format!("docs/decisions/{page}")).collect();
        let files: Vec<(&str, &str)> = pages.iter().map(|page| (page.as_str(), "")).collect();
        printed(check(&repository(&files), &rules()))
    }

    #[test]
    fn pages_numbered_from_one_are_clean() {
        assert!(findings(&["0001-one-anchor.md", "0002-no-clock.md", "README.md"]).is_empty());
        assert!(findings(&[]).is_empty());
    }

    #[test]
    fn a_gap_is_found_once() {
        let expected = "docs/decisions/0003-c.md:1: no page has the number 0002: number the pages without a gap";
        assert_eq!(findings(&["0001-a.md", "0003-c.md", "0004-d.md"]), [expected]);
    }

    #[test]
    fn a_repeated_number_is_found() {
        let expected = "docs/decisions/0001-b.md:1: the number 0001 is taken: rename this page to the next free number";
        assert_eq!(findings(&["0001-a.md", "0001-b.md"]), [expected]);
    }

    #[test]
    fn a_page_without_a_number_is_found() {
        for name in ["a.md", "1-a.md", "0001_a.md", "0001-.md", "0001-A.md"] {
            let expected = format!(
                "docs/decisions/{name}:1: not a page name: call it NNNN-title.md, in small letters, digits and dashes"
            );
            assert_eq!(findings(&[name]), [expected]);
        }
    }
}
