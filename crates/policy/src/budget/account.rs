//! Accounts: each counts for itself and for all above it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Amounts, Budget, Kind, NO_LIMIT, OverBudget, Spent, each};

/// How deep accounts may stand below one another.
pub const MAX_DEPTH: usize = 32;

/// Counts what somebody spends. What a child spends, its parents spend too. A clone is the same account.
#[derive(Debug, Clone)]
pub struct Account(Arc<Node>);

#[derive(Debug)]
struct Node {
    whose: String,
    limits: Amounts,
    parent: Option<Account>,
    depth: usize,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    spent: Amounts,
    reserved: Amounts,
}

/// There are [`MAX_DEPTH`] accounts above this one already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("accounts stand at most {MAX_DEPTH} deep: let an agent nearer to the first one start this")]
pub struct TooDeep;

impl Account {
    /// An account of its own.
    pub fn root(whose: impl Into<String>, budget: Budget) -> Self {
        Self::new(whose.into(), budget.amounts(), None)
    }

    /// An account whose spending comes out of this one. Its limits are at most what is left here now.
    pub fn child(&self, whose: impl Into<String>, budget: Budget) -> Result<Self, TooDeep> {
        if self.0.depth >= MAX_DEPTH {
            return Err(TooDeep);
        }
        let limits = each(budget.amounts(), self.left().amounts(), u64::min);
        Ok(Self::new(whose.into(), limits, Some(self.clone())))
    }

    fn new(whose: String, limits: Amounts, parent: Option<Self>) -> Self {
        let depth = parent.as_ref().map_or(0, |parent| parent.0.depth.saturating_add(1));
        Self(Arc::new(Node { whose, limits, parent, depth, sums: Mutex::default() }))
    }

    /// Sets something aside before it is used: here and in every account above, or nowhere.
    pub fn reserve(&self, wanted: &Spent) -> Result<Reservation, OverBudget> {
        let amounts = wanted.amounts();
        self.take(amounts)?;
        Ok(Reservation { account: self.clone(), amounts })
    }

    /// Counts what was spent without being set aside, be there a budget for it or not: what happened has happened.
    /// After a restart, what the log says was spent.
    pub fn charge(&self, spent: &Spent) {
        self.settle(Amounts::default(), spent.amounts());
    }

    /// What was spent here and below.
    pub fn spent(&self) -> Spent {
        Spent::of(self.sums().spent)
    }

    /// What is set aside here and below.
    pub fn reserved(&self) -> Spent {
        Spent::of(self.sums().reserved)
    }

    /// The limits it was given, or what its parent had left then, if that was less.
    pub fn limits(&self) -> Budget {
        Budget::of(self.0.limits)
    }

    /// What may still be set aside, here and in every account above.
    pub fn left(&self) -> Budget {
        let mut left = [NO_LIMIT; Kind::COUNT];
        let mut at = Some(self);
        while let Some(account) = at {
            left = each(left, account.own_left(), u64::min);
            at = account.0.parent.as_ref();
        }
        Budget::of(left)
    }

    fn own_left(&self) -> Amounts {
        let held = self.sums().held();
        // What has no limit is not used up.
        each(self.0.limits, held, |limit, held| if limit == NO_LIMIT { limit } else { limit.saturating_sub(held) })
    }

    /// The lock of a child is held while its parents are asked, so that nobody meets a reservation half made. Locks are
    /// taken upwards only: no two wait for each other.
    fn take(&self, wanted: Amounts) -> Result<(), OverBudget> {
        let mut sums = self.sums();
        let amounts = self.0.limits.into_iter().zip(sums.held()).zip(wanted);
        for (what, ((limit, used), wanted)) in Kind::ALL.into_iter().zip(amounts) {
            let fits = used.checked_add(wanted).is_some_and(|sum| sum <= limit);
            if wanted > 0 && !fits {
                return Err(OverBudget { what, limit, used, wanted, whose: self.0.whose.clone() });
            }
        }
        if let Some(parent) = &self.0.parent {
            parent.take(wanted)?;
        }
        sums.reserved = each(sums.reserved, wanted, u64::saturating_add);
        Ok(())
    }

    fn settle(&self, reserved: Amounts, actual: Amounts) {
        let mut sums = self.sums();
        if let Some(parent) = &self.0.parent {
            parent.settle(reserved, actual);
        }
        sums.reserved = each(sums.reserved, reserved, u64::saturating_sub);
        sums.spent = each(sums.spent, actual, u64::saturating_add);
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn held(&self) -> Amounts {
        each(self.spent, self.reserved, u64::saturating_add)
    }
}

/// Something that was set aside. Dropped, it is given back.
#[derive(Debug)]
#[must_use = "what is set aside is given back when this is dropped"]
pub struct Reservation {
    account: Account,
    amounts: Amounts,
}

impl Reservation {
    /// What was set aside.
    pub fn amounts(&self) -> Spent {
        Spent::of(self.amounts)
    }

    /// Counts what was really spent, and gives back the rest. If it was more than was set aside, all of it counts, and
    /// the account may be over its limit: the next reservation finds out.
    pub fn settle(mut self, actual: &Spent) {
        let reserved = std::mem::take(&mut self.amounts);
        self.account.settle(reserved, actual.amounts());
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.settle(self.amounts, Amounts::default());
    }
}
