//! Whom a refusal of one customer's order or list is about: the customer may have left the partner, or nobody's may be asked
//! for.

/// Customers of a partner that may be refused before anybody is answered, until the permission itself is in doubt.
const REFUSALS_IN_A_ROW: usize = 5;

/// Whether it is known that the credential may ask for the lists of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// It may be that nobody's list is shown.
    Unproven,
    /// Another customer's list was shown a short while ago.
    Proven,
}

/// Whom a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedParty {
    /// The customer that was asked for: the next may be answered.
    Customer,
    /// The credential: nobody will be answered.
    Credential,
}

/// Judges the refusals of a piece of work.
#[derive(Debug)]
pub(super) struct Refusals {
    permission: Permission,
    in_a_row: usize,
}

impl Refusals {
    /// Nobody was refused yet; `permission` is what is known from before.
    pub(super) const fn new(permission: Permission) -> Self {
        Self { permission, in_a_row: 0 }
    }

    /// Somebody was answered: from here on a refusal is the customer's.
    pub(super) const fn answered(&mut self) {
        self.permission = Permission::Proven;
    }

    /// Judges one more refusal; `shown` is what the rest of the run says about the permission.
    pub(super) fn judge(&mut self, shown: Permission) -> RefusedParty {
        self.in_a_row += 1;
        let is_permitted = [self.permission, shown].contains(&Permission::Proven);
        if is_permitted || self.in_a_row <= REFUSALS_IN_A_ROW {
            RefusedParty::Customer
        } else {
            RefusedParty::Credential
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_refusals_are_the_customers_and_more_are_the_credentials() {
        let mut refusals = Refusals::new(Permission::Unproven);
        for _ in 0..REFUSALS_IN_A_ROW {
            assert_eq!(refusals.judge(Permission::Unproven), RefusedParty::Customer);
        }
        assert_eq!(refusals.judge(Permission::Unproven), RefusedParty::Credential);
        assert_eq!(refusals.judge(Permission::Proven), RefusedParty::Customer);
        refusals.answered();
        assert_eq!(refusals.judge(Permission::Unproven), RefusedParty::Customer);
    }

    #[test]
    fn no_number_of_refusals_outweighs_a_permission_that_is_proven() {
        let mut refusals = Refusals::new(Permission::Proven);
        assert!((0..100).all(|_| refusals.judge(Permission::Unproven) == RefusedParty::Customer));
    }
}
