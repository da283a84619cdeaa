//! A flight: the one acquisition that is under way, as a task of its own.
//!
//! The task belongs to no caller. It owns the credential's call, bounds it by the flight's deadline, and always
//! reports: on its end, on a panic, and when it is dropped with its runtime.

use std::{pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use secrecy::SecretString;
use tokio::time::timeout_at;

use super::{
    attempts::{attempts, timed_out},
    common,
    landing::Report,
    state::{Miss, Order},
    waiting::Superseded,
};

/// The flight's task.
pub(super) async fn fly(report: Report, mut order: Order, superseded: Superseded) {
    // Superseded before it began: nothing is asked, and above all no grant is spent.
    if superseded.is_so() {
        return;
    }
    report.cache.change(|state| state.depart(&mut order));
    if let Some(link) = report.cache.link().cloned() {
        return Box::pin(common::fly(report, order, superseded, link)).await;
    }
    // The call is gone, with its connection, before anybody hears of its end.
    let result = {
        let cache = &report.cache;
        let keep = |token: &SecretString| cache.change(|state| state.rotate(order.id, token.clone()));
        let call = attempts(&**cache.source(), &order, &superseded, None, keep);
        match select(pin!(timeout_at(order.deadline, call)), superseded.until_so()).await {
            Either::Left((Ok(result), _)) => result,
            Either::Left((Err(_), _)) => {
                Err(Miss { error: Arc::new(timed_out("the flight's time was up")), grant_intact: false })
            }
            Either::Right(_) => return,
        }
    };
    report.send(result);
}
