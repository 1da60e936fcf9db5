//! The words for how far a message is.

/// The `status` of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// No PUBACK yet.
    Pending,
    /// The PUBACK came.
    Acknowledged,
    /// It came after the sender had been told that it did not.
    AcknowledgedLate,
    /// Handed over; no confirmation was asked for.
    Sent,
    /// The PUBACK carried an MQTT 5 error.
    Refused,
    /// The connection ended first.
    ConnectionClosed,
    /// The same, by another connection of the same client ID.
    Replaced,
    /// Its time was over before a byte of it was sent.
    Expired,
    /// Turned down at once.
    NeverSent,
    /// Turned down at once, after a part of it was sent.
    Failed,
}

impl ReceiptStatus {
    /// All of them.
    pub const ALL: [ReceiptStatus; 10] = [
        ReceiptStatus::Pending,
        ReceiptStatus::Acknowledged,
        ReceiptStatus::AcknowledgedLate,
        ReceiptStatus::Sent,
        ReceiptStatus::Refused,
        ReceiptStatus::ConnectionClosed,
        ReceiptStatus::Replaced,
        ReceiptStatus::Expired,
        ReceiptStatus::NeverSent,
        ReceiptStatus::Failed,
    ];

    /// The word in the receipt.
    pub const fn word(self) -> &'static str {
        match self {
            ReceiptStatus::Pending => "pending",
            ReceiptStatus::Acknowledged => "acknowledged",
            ReceiptStatus::AcknowledgedLate => "acknowledged-late",
            ReceiptStatus::Sent => "sent",
            ReceiptStatus::Refused => "refused",
            ReceiptStatus::ConnectionClosed => "connection-closed",
            ReceiptStatus::Replaced => "replaced",
            ReceiptStatus::Expired => "expired",
            ReceiptStatus::NeverSent => "never-sent",
            ReceiptStatus::Failed => "failed",
        }
    }
}
