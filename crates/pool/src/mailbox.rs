//! How other threads reach the driver: a list of orders, and a wake-up that
//! costs a system call only when the driver really sleeps.

use crate::{Job, JobEnd, PoolError, Waker};
use procession_sys::WakeUp;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// What the driver is told to do.
pub(crate) enum Order {
    /// Begin a job; its end is reported there.
    Start(Box<Job>, Sender<Result<JobEnd, PoolError>>),
    /// No more jobs will come.
    Close,
    /// End everything: politely, then by force.
    Stop,
    /// End everything by force.
    Kill,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    orders: Mutex<Option<Vec<Order>>>,
    /// There is something to look at.
    woken: AtomicBool,
    /// The driver is in its poll, or about to be.
    asleep: AtomicBool,
    wake_up: WakeUp,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

impl Mailbox {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            orders: Mutex::new(Some(Vec::new())),
            woken: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            wake_up: WakeUp::new()?,
        })
    }

    /// Leaves an order; `false` if the driver has ended.
    pub(crate) fn send(&self, order: Order) -> bool {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = orders.as_mut() else { return false };
        list.push(order);
        drop(orders);
        self.wake();
        true
    }

    pub(crate) fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            self.wake_up.wake();
        }
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        let mailbox = Arc::clone(self);
        Waker::new(move || mailbox.wake())
    }

    /// The orders left since last time.
    pub(crate) fn take(&self) -> Vec<Order> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// No more orders are taken.
    pub(crate) fn close(&self) -> Vec<Order> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.take().unwrap_or_default()
    }

    /// Whether anybody called since last asked.
    pub(crate) fn was_woken(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    /// To be called before a poll; if `true`, there is something to look at and
    /// the poll must not wait.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        self.woken.load(Ordering::SeqCst)
    }

    /// To be called after the poll.
    pub(crate) fn wake_fully(&self) {
        if !self.asleep.swap(false, Ordering::SeqCst) {
            self.wake_up.clear();
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake_up.as_fd()
    }
}
