/// How slowly another router may send or take bytes: one that gives a byte now and then must not hold an upgrade, or a
/// conversation, for ever.
struct TransferPace: Sendable {
    /// What a transfer may take whatever its length.
    var patience = Duration.seconds(30)
    /// The bytes per second that it must have beyond that: 16 KiB.
    var bytesPerSecondMin: UInt64 = 16 << 10

    /// The time in which so many bytes have to be through.
    func limit(_ bytes: UInt64) -> Duration {
        patience + .milliseconds(Int64(clamping: bytes / (bytesPerSecondMin / 1000 + 1)))
    }
}
