//! The quotas the vendor tells us: in the text of a refusal and in headers. Both are untrusted.

use std::time::Duration;

use super::Quota;

/// Whose calls a quota counts together, by the vendor's word for it (vendor-contract.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Of one interface, whoever calls.
    Api,
    /// Of one user.
    User,
    /// Of one application.
    App,
    /// Of one source address.
    Ip,
}

impl Policy {
    const ALL: [(&'static str, Self); 4] =
        [("api", Self::Api), ("user", Self::User), ("app", Self::App), ("ip", Self::Ip)];

    /// The vendor's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, policy)| *policy == self).map_or("", |(word, _)| word)
    }

    /// Reads [`Self::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, policy)| *policy)
    }
}

/// A quota that the vendor told us. Untrusted, but its figures are in bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaHint {
    /// The quota.
    pub quota: Quota,
    /// Whose calls it counts.
    pub policy: Policy,
}

impl QuotaHint {
    /// Finds `policy user over ratelimit,limit:10,time:1 second` in a message, in any case and spacing.
    ///
    /// Figures outside 1 to a million calls and a second to a day are no hint.
    #[must_use]
    pub fn in_message(message: &str) -> Option<Self> {
        let text = message.to_ascii_lowercase();
        text.match_indices("policy").find_map(|(at, word)| {
            let mut rest = Words(&text[at + word.len()..]);
            rest.gap()?;
            let policy = rest.policy()?;
            rest.gap()?;
            rest.word("over")?;
            rest.gap()?;
            rest.word("ratelimit")?;
            rest.spaced(",")?;
            let quota = rest.quota()?;
            Some(Self { quota, policy })
        })
    }

    /// The binding one of the `X-Apig-RateLimit-{api,user,app,ip}: remain:9,limit:10,time:10 second` headers: that
    /// with the least share left. Names and values as they came.
    #[must_use]
    pub fn in_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        /// The vendor sends at most five (vendor-contract.md §5); more is not the vendor.
        const MOST: usize = 5;
        let mut tightest: Option<(u32, Self)> = None;
        let named = headers.filter_map(|(name, value)| {
            let kind = name.get(.."x-apig-ratelimit-".len())?;
            let policy = name.get(kind.len()..)?;
            kind.eq_ignore_ascii_case("x-apig-ratelimit-").then(|| (policy.to_ascii_lowercase(), value))
        });
        for (policy, value) in named.take(MOST) {
            let text = value.to_ascii_lowercase();
            let Some((_, policy)) = Policy::ALL.iter().find(|(word, _)| policy == *word) else { continue };
            let mut rest = Words(text.trim_start());
            let Some((remain, quota)) = rest.remain().and_then(|remain| Some((remain, rest.quota()?))) else {
                continue;
            };
            let hint = Self { quota, policy: *policy };
            let tighter = tightest.is_none_or(|(least, other)| {
                u64::from(remain) * u64::from(other.quota.calls) < u64::from(least) * u64::from(quota.calls)
            });
            if tighter {
                tightest = Some((remain, hint));
            }
        }
        tightest.map(|(_, hint)| hint)
    }

    /// Whether the quota is one of a day: used up, it is not waited for.
    pub(crate) fn is_daily(&self) -> bool {
        self.quota.period >= Quota::LONGEST_PERIOD
    }
}

/// The rest of a lower-case text, read from its front; every step only moves forward.
struct Words<'a>(&'a str);

impl Words<'_> {
    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_start();
    }

    fn gap(&mut self) -> Option<()> {
        let before = self.0.len();
        self.skip_space();
        (self.0.len() < before).then_some(())
    }

    /// A word with any space around it.
    fn spaced(&mut self, word: &str) -> Option<()> {
        self.skip_space();
        self.word(word)?;
        self.skip_space();
        Some(())
    }

    fn number(&mut self) -> Option<u32> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().ok()
    }

    fn policy(&mut self) -> Option<Policy> {
        let (word, policy) = Policy::ALL.iter().find(|(word, _)| self.0.starts_with(word))?;
        self.word(word)?;
        Some(*policy)
    }

    /// `remain:9,`
    fn remain(&mut self) -> Option<u32> {
        self.word("remain")?;
        self.spaced(":")?;
        let remain = self.number()?;
        self.spaced(",")?;
        Some(remain)
    }

    /// `limit:10,time:1 second`
    fn quota(&mut self) -> Option<Quota> {
        self.word("limit")?;
        self.spaced(":")?;
        let calls = self.number()?;
        self.spaced(",")?;
        self.word("time")?;
        self.spaced(":")?;
        let count = self.number()?;
        self.skip_space();
        let units = [("second", 1u64), ("minute", 60), ("hour", 60 * 60), ("day", 24 * 60 * 60)];
        let (_, seconds) = units.iter().find(|(unit, _)| self.0.starts_with(unit))?;
        Quota::bounded(calls, Duration::from_secs(seconds.saturating_mul(u64::from(count))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotas_are_found_in_messages() {
        let hint = |calls, seconds, policy| {
            Some(QuotaHint { quota: Quota { calls, period: Duration::from_secs(seconds) }, policy })
        };
        for (message, found) in [
            ("policy ip over ratelimit,limit:200,time:5 minute", hint(200, 300, Policy::Ip)),
            ("POLICY  Api over RateLimit , limit : 5 , time : 1 seconds!", hint(5, 1, Policy::Api)),
            ("policy policy app over ratelimit,limit:1,time:1hour", hint(1, 3600, Policy::App)),
            ("policy user over ratelimit,limit:0,time:1 second", None),
            ("policy user over ratelimit,limit:1000001,time:1 second", None),
            ("policy user over ratelimit,limit:99999999999,time:1 second", None),
            ("policy user over ratelimit,limit:1,time:2 day", None),
            ("policy user over ratelimit,limit:1,time:0 second", None),
            ("policy user over ratelimit,limit:1,time:1 week", None),
            ("policy user over ratelimit,limit:-1,time:1 second", None),
            ("policy nobody over ratelimit,limit:1,time:1 second", None),
            ("policy user over ratelimit", None),
            ("", None),
        ] {
            assert_eq!(QuotaHint::in_message(message), found, "{message}");
        }
    }

    #[test]
    fn of_several_headers_the_tightest_binds() {
        let found = |headers: &[(&str, &str)]| QuotaHint::in_headers(headers.iter().copied());
        let tight = QuotaHint { quota: Quota::per_second(10), policy: Policy::Ip };
        let headers = [
            ("X-Apig-RateLimit-user", "remain:90,limit:100,time:1 minute"),
            ("x-apig-ratelimit-ip", "remain:1,limit:10,time:1 second"),
            ("X-Apig-RateLimit-nobody", "remain:0,limit:1,time:1 second"),
            ("X-Apig-RateLimit-app", "garbage"),
            ("Date", "remain:0,limit:1,time:1 second"),
        ];
        assert_eq!(found(&headers), Some(tight));
        assert_eq!(found(&headers[4..]), None);
    }

    proptest! {
        #[test]
        fn no_near_hit_upsets_the_hint_reader(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("policy"), Just(" "), Just("user"), Just("over"), Just("ratelimit"), Just(","), Just("limit"),
                    Just(":"), Just("99999999999"), Just("7"), Just("time"), Just("second"), Just("day"), Just("é"),
                ],
                0..30,
            )
        ) {
            let hint = QuotaHint::in_message(&words.concat());
            prop_assert!(hint.is_none_or(|hint| hint.quota.calls >= 1 && hint.quota.period <= Quota::LONGEST_PERIOD));
        }
    }
}
