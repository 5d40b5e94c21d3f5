//! The key a model demands, if it does.

use std::fmt;

use tokio::sync::watch;

/// A lock whose key may be changed. Clones are the same lock.
#[derive(Clone, Default)]
pub(crate) struct Lock(watch::Sender<Option<String>>);

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lock").field(&self.0.borrow().is_some()).finish()
    }
}

impl Lock {
    /// From now on this key fits, and no other.
    pub(crate) fn accept(&self, key: &str) {
        self.0.send_replace(Some(key.to_owned()));
    }

    /// Whether a request with this `authorization` may come in.
    pub(crate) fn lets_in(&self, authorization: Option<&str>) -> bool {
        let shown = authorization.and_then(|value| value.split_once(' '));
        let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key);
        self.0.borrow().as_deref().is_none_or(|key| shown == Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_key_fits_and_it_is_not_shown() {
        let lock = Lock::default();
        assert!(lock.lets_in(None) && lock.lets_in(Some("Bearer any")));
        lock.accept("sk-1");
        assert!(lock.lets_in(Some("Bearer sk-1")) && lock.lets_in(Some("bearer sk-1")));
        for wrong in [None, Some("sk-1"), Some("Basic sk-1"), Some("Bearer sk-2"), Some("Bearer sk-")] {
            assert!(!lock.lets_in(wrong), "{wrong:?}");
        }
        lock.clone().accept("sk-2");
        assert!(lock.lets_in(Some("Bearer sk-2")) && !lock.lets_in(Some("Bearer sk-1")));
        assert!(!format!("{lock:?}").contains("sk-"));
    }
}
