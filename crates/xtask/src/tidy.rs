//! Every check, in one list.

use crate::finding::Finding;
use crate::repository::Repository;
use crate::rules::Rules;
use crate::{arrows, decisions, documents, externals, manifests, markers, sizes};

const CHECKS: [fn(&Repository, &Rules) -> Vec<Finding>; 7] = [
    arrows::check,
    externals::check,
    manifests::check,
    sizes::check,
    markers::check,
    documents::check,
    decisions::check,
];

/// Runs every check that needs nothing but the repository as read.
pub(crate) fn check(repository: &Repository, rules: &Rules) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(repository, rules)).collect()
}
