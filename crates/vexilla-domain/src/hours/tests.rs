//! When hours are on, and when they change.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ActiveHours;

fn at(hour: u64, minute: u64, second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(((3 * 24 + hour) * 60 + minute) * 60 + second)
}

#[test]
fn they_begin_and_end_on_the_minute_over_midnight_too() {
    let check = |hours: &ActiveHours, cases: &[(u64, u64, bool)]| {
        for (hour, minute, on) in cases {
            assert_eq!(hours.are_on(at(*hour, *minute, 59)), *on, "{hours:?} at {hour}:{minute}");
        }
    };
    let day = ActiveHours::between("08:00", "18:30").unwrap();
    check(&day, &[(7, 59, false), (8, 0, true), (18, 29, true), (18, 30, false), (0, 0, false)]);
    let night = ActiveHours::between("22:00", "06:00").unwrap();
    check(&night, &[(21, 59, false), (22, 0, true), (0, 0, true), (5, 59, true), (6, 0, false)]);
    let east = day.clone().at_offset("+02:00").unwrap();
    check(&east, &[(5, 59, false), (6, 0, true), (16, 30, false)]);
    let west = day.at_offset("-05:30").unwrap();
    check(&west, &[(13, 29, false), (13, 30, true), (23, 59, true), (0, 0, false)]);
}

#[test]
fn the_next_change_is_the_nearer_end() {
    let hours = ActiveHours::between("08:00", "18:00").unwrap();
    let minutes = |it: u64| Duration::from_secs(it * 60);
    assert_eq!(hours.next_change(at(7, 0, 0)), minutes(60));
    assert_eq!(hours.next_change(at(7, 59, 59)), Duration::from_secs(1));
    assert_eq!(hours.next_change(at(8, 0, 0)), minutes(600));
    assert_eq!(hours.next_change(at(18, 0, 30)), Duration::from_secs(14 * 3600 - 30));
}

#[test]
fn what_is_no_time_is_named() {
    let check = |result: Result<ActiveHours, _>, message: &str| {
        assert_eq!(
            result.map_err(|error: crate::FilterError| error.to_string()),
            Err(message.to_owned())
        );
    };
    check(
        ActiveHours::between("8:00", "18:00"),
        "active_hours: `8:00` is not a time of day, as `08:00`",
    );
    check(
        ActiveHours::between("08:00", "24:00"),
        "active_hours: `24:00` is not a time of day, as `18:00`",
    );
    check(ActiveHours::between("08:00", "08:00"), "active_hours: `08:00-08:00` leaves no time");
    let hours = ActiveHours::between("08:00", "18:00").unwrap();
    for offset in ["", "2", "02:00", "+2:00", "+24:00", "é"] {
        check(
            hours.clone().at_offset(offset),
            &format!("active_hours: `{offset}` is not an offset from UTC, as `+02:00`"),
        );
    }
}
