//! Where the coordinator's time went in a run: the input's thread, the driver,
//! and the output's thread.

use serde::{Deserialize, Serialize};

/// Seconds of a run by thread and phase, as `run.json` holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoordinatorTimes {
    /// The input's thread read and cut.
    pub reading_s: f64,
    /// The input's thread waited for room: blocks were not taken as fast as they
    /// were read.
    pub input_waiting_s: f64,
    /// The driver started processes; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawning_s: Option<f64>,
    /// The driver cut blocks, sent and received them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_s: Option<f64>,
    /// The driver put results in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_s: Option<f64>,
    /// The driver waited for events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_waiting_s: Option<f64>,
    /// The output's thread digested, gathered and wrote.
    pub writing_s: f64,
    /// The output's thread waited for results.
    pub output_waiting_s: f64,
}
