//! Calendar arithmetic on unix seconds, written here so that production's own cannot be wrong with it.

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

/// Days since 1970-01-01 of a civil date (proleptic Gregorian).
pub const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// (year, month, day) of days since 1970-01-01.
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// `yyyy-MM-dd'T'HH:mm:ss'Z'`.
pub fn text(unix: i64) -> String {
    let mut out = String::with_capacity(20);
    push_text(&mut out, unix);
    out
}

/// Appends `yyyy-MM-dd'T'HH:mm:ss'Z'`, without the formatting machinery because a page has hundreds.
pub fn push_text(out: &mut String, unix: i64) {
    let (year, month, day) = civil(unix.div_euclid(DAY));
    let second = unix.rem_euclid(DAY);
    digits(out, year, 4);
    out.push('-');
    digits(out, month, 2);
    out.push('-');
    digits(out, day, 2);
    out.push('T');
    digits(out, second / HOUR, 2);
    out.push(':');
    digits(out, second / 60 % 60, 2);
    out.push(':');
    digits(out, second % 60, 2);
    out.push('Z');
}

/// `yyMMddHHmm`, the start of an order id.
pub fn push_stamp(out: &mut String, unix: i64) {
    let (year, month, day) = civil(unix.div_euclid(DAY));
    let second = unix.rem_euclid(DAY);
    for part in [year % 100, month, day, second / HOUR, second / 60 % 60] {
        digits(out, part, 2);
    }
}

fn digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// Reads exactly `yyyy-MM-dd'T'HH:mm:ss'Z'` of a real calendar day.
pub fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if bytes.len() != 20 || marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    let part = |from: usize, to: usize| number(&bytes[from..to]);
    unix([part(0, 4)?, part(5, 7)?, part(8, 10)?, part(11, 13)?, part(14, 16)?, part(17, 19)?])
}

/// Reads exactly `yyyyMMdd'T'HHmmss'Z'`, the form of `X-Sdk-Date`.
pub fn parse_compact(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let part = |from: usize, to: usize| number(&bytes[from..to]);
    unix([part(0, 4)?, part(4, 6)?, part(6, 8)?, part(9, 11)?, part(11, 13)?, part(13, 15)?])
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn unix([year, month, day, hour, minute, second]: [i64; 6]) -> Option<i64> {
    let days = days_of(year, month, day);
    let real = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    real.then_some(days * DAY + hour * HOUR + minute * 60 + second)
}

/// 23:59:59 in UTC+8 of the day `months` months after the local day of `unix`: how the vendor lets
/// subscriptions end.
pub fn months_later(unix: i64, months: i64) -> i64 {
    let (year, month, day) = civil((unix + 8 * HOUR).div_euclid(DAY));
    let count = year * 12 + month - 1 + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let last = civil(days_of(year + month / 12, month % 12 + 1, 1) - 1).2;
    (days_of(year, month, day.min(last)) + 1) * DAY - 1 - 8 * HOUR
}

/// The form of the `Date` header.
pub fn http_date(unix: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = unix.div_euclid(DAY);
    let (year, month, day) = civil(days);
    let second = unix.rem_euclid(DAY);
    let week_day = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    format!(
        "{week_day}, {day:02} {month} {year} {:02}:{:02}:{:02} GMT",
        second / HOUR,
        second / 60 % 60,
        second % 60
    )
}
