//! Which times may be maturities.

const DAY_SECONDS: u32 = 86_400;
/// 1 January 2000, in days since 1970: a leap year, the first of four until 2099.
const YEAR_2000: u32 = 10_957;
const FOUR_YEARS: u32 = 4 * 365 + 1;
/// 2000 to 2099: names of markets have two digits for the year.
const CENTURY: u32 = 25 * FOUR_YEARS;

/// Whether this is 08:00 UTC on the last Friday of a month; unix seconds.
pub fn is_last_friday(time: u32) -> bool {
    let days = time / DAY_SECONDS;
    // 1 January 1970 was a Thursday.
    if time % DAY_SECONDS != 8 * 3600 || days % 7 != 1 {
        return false;
    }
    match days.checked_sub(YEAR_2000) {
        Some(days) if days < CENTURY => is_in_last_week(days % FOUR_YEARS),
        _ => false,
    }
}

/// Whether a day, counted from the beginning of a leap year for four years, is one of the last seven of its month.
fn is_in_last_week(day: u32) -> bool {
    let (mut day, february) = if day < 366 { (day, 29) } else { ((day - 366) % 365, 28) };
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            return day + 7 >= length;
        }
        day -= length;
    }
    day + 7 >= 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        // 28 January 2000, 25 February 2000, 29 November 2024, 27 December 2024, 31 January 2025, 28 February 2025,
        // 25 December 2026, 25 February 2028 (of 29 days), 31 October 2064, 25 December 2099
        for time in [
            949_046_400,
            951_465_600,
            1_732_867_200,
            1_735_286_400,
            1_738_310_400,
            1_740_729_600,
            1_798_185_600,
            1_835_078_400,
            2_992_665_600,
            4_101_868_800,
        ] {
            assert!(is_last_friday(time), "{time}");
            assert!(!is_last_friday(time + 1) && !is_last_friday(time - 1));
            assert!(!is_last_friday(time + 86_400) && !is_last_friday(time - 86_400));
            assert!(!is_last_friday(time - 7 * 86_400) && !is_last_friday(time + 7 * 86_400));
        }
        // 31 December 1999 and 29 January 2100 are last Fridays of other centuries.
        for time in [0, 946_627_200, 4_104_892_800, u32::MAX] {
            assert!(!is_last_friday(time), "{time}");
        }
    }

    /// Twelve a year, four or five weeks apart.
    #[test]
    fn one_in_each_month() {
        let first = 949_046_400;
        let (mut found, mut last) = (1, first);
        for time in (first..=4_101_868_800).step_by(7 * 86_400) {
            if time > first && is_last_friday(time) {
                found += 1;
                assert!([28, 35].contains(&((time - last) / 86_400)), "{time}");
                last = time;
            }
        }
        assert_eq!(found, 1200);
    }
}
