//! What happens in a case: everything by its seed.

use std::fmt;

use sim::dice::{Dice, mix};
use sim::{Bounds, ChangeKind, FaultKind, RowOrder, Weather};
use support::As;

/// One case.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub who: As,
    pub orders: usize,
    pub customers: usize,
    /// Orders of one second.
    pub burst: usize,
    pub bounds: Bounds,
    pub row_order: RowOrder,
    pub ties: RowOrder,
    /// Most rows that the vendor puts into a page, whatever is asked for: so that small accounts have long lists.
    pub page: Option<usize>,
    /// What the vendor's clock shows at first, in seconds after ours.
    pub clock: i64,
    /// Whether the catalogues are read too, which never change.
    pub has_catalogues: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// So many changes between runs.
    Upset {
        seed: u64,
        count: u64,
    },
    /// So many seconds go by.
    Wait(i64),
    Run(Run),
}

/// A run, and what happens to it.
#[derive(Clone, Debug)]
pub struct Run {
    /// All when empty; the catalogues only in cases that have some.
    pub jobs: &'static [&'static str],
    pub full: bool,
    pub weather: Option<Weather>,
    pub ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ends by itself.
    Own,
    /// It is dropped after so many answers, and so many turns of the other tasks.
    Killed { answers: u64, turns: u64 },
    /// It is asked to stop after so many answers.
    Stopped { answers: u64 },
}

impl Run {
    /// All jobs and nothing in their way.
    pub const QUIET: Self = Self { jobs: &[], full: false, weather: None, ending: Ending::Own };
}

/// Changes that are found although the vendor's clock is ahead of ours: what is dated by it is younger than what a run
/// may read.
const UNDATED: &[ChangeKind] = &[
    ChangeKind::LateOrder,
    ChangeKind::OrderLeft,
    ChangeKind::OpenOrderMoved,
    ChangeKind::FinalOrderChanged,
    ChangeKind::ResourceCame,
    ChangeKind::ResourceLeft,
    ChangeKind::ResourceChanged,
];

/// Faults that leave no walk a proof.
const HOLLOW: &[FaultKind] = &[FaultKind::ShortPage, FaultKind::EmptyPage, FaultKind::WrongTotal];

/// Some of the jobs.
const SUBSETS: &[&[&str]] = &[
    &["orders"],
    &["orders", "order_lines"],
    &["order_lines", "refund_attributions"],
    &["resources"],
    &["orders", "refund_attributions", "resources"],
];

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(mix(seed) ^ 0x0C_A5E);
        let who = if dice.percent(35) { As::Partner } else { As::Customer };
        // Small ones are cheap, and everything happens to them too.
        let orders = match dice.below(100) {
            0..80 => 3 + dice.below(6),
            80..98 => 8 + dice.below(16),
            _ => 24 + dice.below(17),
        };
        let orders = usize::try_from(orders).expect("small");
        let page = dice.percent(40).then(|| 2 + usize::try_from(dice.below(6)).expect("small"));
        // A second with more orders than a page; a small page makes that cheap.
        let burst = match page {
            Some(page) if dice.percent(30) => {
                page + 1 + usize::try_from(dice.below(2 * page as u64)).expect("small")
            }
            None if dice.below(400) == 0 => 101 + usize::try_from(dice.below(40)).expect("small"),
            Some(_) | None => 0,
        };
        let bounds = dice.pick(&[Bounds::Inclusive, Bounds::ExclusiveEnd, Bounds::ExclusiveBegin]);
        let order = |dice: &mut Dice, percent| {
            if dice.percent(percent) { RowOrder::Shuffled } else { RowOrder::Stable }
        };
        let row_order = order(&mut dice, 30);
        let ties = order(&mut dice, 30);
        let is_ahead = dice.percent(10);
        let clock = if is_ahead { dice.between(30, 250) } else { -850 };
        let customers = 1 + usize::try_from(dice.below(4)).expect("small");
        let has_catalogues = dice.percent(10);
        let steps = Vec::new();
        let mut case = Self {
            seed,
            who,
            orders,
            customers,
            burst,
            bounds,
            row_order,
            ties,
            page,
            clock,
            has_catalogues,
            steps,
        };
        let count = 2 + dice.below(6);
        case.steps = (0..count).map(|_| case.step(&mut dice)).collect();
        if dice.percent(3) {
            let storm: Vec<Step> = (0..4).map(|_| Step::Run(case.storm(&mut dice))).collect();
            case.steps.splice(0..1, storm);
        }
        case
    }

    /// The changes that may happen.
    pub fn changes(&self) -> &'static [ChangeKind] {
        if self.clock > 0 { UNDATED } else { ChangeKind::ALL }
    }

    /// Whether the vendor may show a list of more than a page in another order at each call, without a way to slice it
    /// into single pages.
    pub fn may_stay_disputed(&self) -> bool {
        self.ties == RowOrder::Shuffled && (self.burst > 0 || self.page.is_some())
            || self.row_order == RowOrder::Shuffled && self.page.is_some()
    }

    fn step(&self, dice: &mut Dice) -> Step {
        match dice.below(100) {
            0..28 => Step::Upset { seed: dice.next(), count: 1 + dice.below(4) },
            28..38 => Step::Wait(dice.between(1, 60)),
            _ => Step::Run(self.run(dice)),
        }
    }

    /// A run in which hardly anything comes as it should.
    fn storm(&self, dice: &mut Dice) -> Run {
        let weather_seed = dice.next();
        let weather = Weather {
            seed: weather_seed,
            faults: 65,
            changes: 2,
            kinds: HOLLOW,
            change_kinds: self.changes(),
        };
        Run { weather: Some(weather), ..Run::QUIET }
    }

    fn run(&self, dice: &mut Dice) -> Run {
        let weather = dice.percent(70).then(|| {
            let faults = dice.pick(&[0, 5, 15, 15, 30, 60]);
            let changes = dice.pick(&[0, 4, 10, 10, 25]);
            // The others make the client wait.
            let kinds = if self.seed % 1000 == 7 { FaultKind::ALL } else { FaultKind::QUICK };
            Weather { seed: dice.next(), faults, changes, kinds, change_kinds: self.changes() }
        });
        // The first run takes many answers, later ones a few.
        let answers =
            1 + if dice.percent(50) { dice.below(8) } else { dice.below(12 + 2 * self.orders as u64) };
        let ending = match dice.below(100) {
            0..32 => Ending::Killed { answers, turns: dice.below(12) },
            32..36 => Ending::Stopped { answers },
            _ => Ending::Own,
        };
        let jobs = if dice.percent(20) { dice.pick(SUBSETS) } else { &[] };
        Run { jobs, full: dice.percent(12), weather, ending }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, orders, customers, burst, bounds, row_order, ties, page, clock, .. } = self;
        write!(
            f,
            "{who:?}, {orders} orders and {burst} of one second, {customers} customers, bounds {bounds:?}, rows \
             {row_order:?}, ties {ties:?}, pages of {page:?}, clock {clock:+} s"
        )?;
        self.steps.iter().try_for_each(|step| write!(f, "\n  {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upset { count, .. } => write!(f, "{count} change(s)"),
            Self::Wait(seconds) => write!(f, "{seconds} s go by"),
            Self::Run(run) => run.fmt(f),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {}", self.jobs.join(" "))?;
        if self.full {
            f.write_str(" --full")?;
        }
        if let Some(Weather { faults, changes, .. }) = self.weather {
            write!(f, ", {faults} % faults, {changes} % changes")?;
        }
        match self.ending {
            Ending::Own => Ok(()),
            Ending::Killed { answers, turns } => write!(f, ", killed {turns} turns after {answers} answers"),
            Ending::Stopped { answers } => write!(f, ", stopped after {answers} answers"),
        }
    }
}
