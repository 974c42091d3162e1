//! Success, failure and interruption, with limits that do not depend on how fast the machine is.

use std::time::Duration;

use anyhow::{anyhow, ensure};

use super::Interrupt;

#[test]
fn tries_until_it_succeeds() {
    let mut tries = 0;
    let result = Interrupt::default().until("third try", || {
        tries += 1;
        ensure!(tries == 3, "only {tries}");
        Ok(tries)
    });
    assert_eq!(result.unwrap(), 3);
}

#[test]
fn gives_up_with_the_last_failure() {
    let result = Interrupt::default()
        .within(Duration::ZERO, "answer", || Err::<(), _>(anyhow!("it is silent")));
    assert_eq!(format!("{:#}", result.unwrap_err()), "no answer within 0ns: it is silent");
}

#[test]
fn does_not_try_when_interrupted() {
    let interrupt = Interrupt::default();
    interrupt.clone().tell();
    let result: Result<(), _> = interrupt.until("answer", || panic!("tried"));
    assert_eq!(result.unwrap_err().to_string(), "interrupted while waiting for answer");
}
