//! The partner as a distributor: its resellers, whose customers they have, and who is shown when.

use super::render::hex_id;
use super::truth::{Index, Truth, at};
use super::vendor::{Call, Refused, Role};

/// Where an order stands in the indexes.
#[derive(Clone, Copy)]
pub(super) enum Place {
    All,
    Group(usize),
    Own(usize),
}

impl Truth {
    /// Gives the partner `count` resellers. The last half of its customers, and at least one for each
    /// reseller, belong to them in turn; the owner never does.
    pub fn give_to_resellers(&mut self, count: usize) {
        let seed = self.seed;
        self.resellers = (0..count as u64).map(|number| hex_id(seed ^ 0x5E11, number)).collect();
        let others = self.customers.len().saturating_sub(1);
        let given = if count == 0 { 0 } else { others.div_ceil(2).max(count).min(others) };
        let direct = self.customers.len() - given;
        for customer in &mut self.customers {
            customer.reseller = None;
        }
        for (turn, customer) in self.customers[direct..].iter_mut().enumerate() {
            customer.reseller = u32::try_from(turn % count.max(1)).ok();
        }
        self.reindex();
    }

    /// Account ids of the resellers.
    pub fn reseller_ids(&self) -> Vec<&str> {
        self.resellers.iter().map(String::as_str).collect()
    }

    pub(super) fn reseller(&self, id: &str) -> Option<u32> {
        let found = self.resellers.iter().position(|reseller| reseller == id)?;
        u32::try_from(found).ok()
    }

    pub(super) fn reseller_of(&self, customer: u32) -> Option<u32> {
        self.customers.get(at(customer)).and_then(|customer| customer.reseller)
    }

    /// Builds the indexes of direct customers and of resellers.
    pub(super) fn group(&mut self, created: &[u32], paid: &[u32]) {
        self.groups = Vec::new();
        if self.resellers.is_empty() {
            return;
        }
        let mut groups = vec![Index::default(); self.resellers.len() + 1];
        let group = |number: u32| {
            self.reseller_of(self.orders[at(number)].customer).map_or(0, |reseller| at(reseller) + 1)
        };
        for &number in created {
            groups[group(number)].created.push(number);
        }
        for &number in paid {
            groups[group(number)].paid.push(number);
        }
        self.groups = groups;
    }

    /// The indexes an order of this customer belongs to.
    pub(super) fn places(&self, customer: usize) -> impl Iterator<Item = Place> + use<> {
        let reseller = self.customers[customer].reseller.map_or(0, |reseller| at(reseller) + 1);
        let group = (!self.groups.is_empty()).then_some(Place::Group(reseller));
        [Some(Place::All), group, Some(Place::Own(customer))].into_iter().flatten()
    }

    pub(super) fn place(&self, place: Place) -> &Index {
        match place {
            Place::All => &self.all,
            Place::Group(group) => &self.groups[group],
            Place::Own(customer) => &self.own[customer],
        }
    }

    pub(super) fn place_mut(&mut self, place: Place) -> &mut Index {
        match place {
            Place::All => &mut self.all,
            Place::Group(group) => &mut self.groups[group],
            Place::Own(customer) => &mut self.own[customer],
        }
    }

    /// The reseller a partner asks for. For a customer the parameter means nothing.
    pub(super) fn asked_reseller(&self, call: &Call<'_>, id: Option<&str>) -> Result<Option<u32>, Refused> {
        match id {
            Some(id) if call.role == Role::Partner && !id.is_empty() => {
                self.reseller(id).map(Some).ok_or(Refused::UnknownReseller)
            }
            _ => Ok(None),
        }
    }

    /// Whether a partner that asks for a reseller (or for none) is shown this customer.
    pub(super) fn shown(&self, customer: u32, reseller: Option<u32>) -> bool {
        self.reseller_of(customer) == reseller
    }
}
