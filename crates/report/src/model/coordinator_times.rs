//! Where the coordinator's own time went: its input's thread, the driver, and
//! its output's thread.

use serde::{Deserialize, Serialize};

/// Seconds of a run by thread and phase, as `run.json` holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoordinatorTimes {
    /// The input's thread read and cut.
    pub reading_s: f64,
    /// It waited for room.
    pub input_waiting_s: f64,
    /// The driver started processes; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawning_s: Option<f64>,
    /// It cut blocks, sent and received them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_s: Option<f64>,
    /// It put results in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_s: Option<f64>,
    /// It waited for news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_waiting_s: Option<f64>,
    /// The output's thread digested and wrote.
    pub writing_s: f64,
    /// It waited for results.
    pub output_waiting_s: f64,
}
