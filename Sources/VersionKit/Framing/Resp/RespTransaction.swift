import NIOCore

/// The requests between `MULTI` and `EXEC`, for a proxy that keeps them and sends a transaction in one piece: then it
/// can be ordered with other writes by all of its keys, and no version is ever in the middle of one.
public struct RespTransaction: Sendable {
    /// In two levels: a session is copied with each request, and so is what was added last.
    private var full: [[RespRequest]] = []
    private var last: [RespRequest] = []
    private var size = 0
    /// Whether something in it was refused, so that nothing of it may be done.
    public var isBroken = false

    /// A transaction of no requests.
    public init() {}

    /// The requests, in the order in which they came.
    public var requests: [RespRequest] { full.flatMap(\.self) + last }

    /// Keeps a request, with bytes of its own.
    ///
    /// - Returns: `false` if there is too much already (``RespLimits/bulkBytesMax``), and the request is not kept.
    public mutating func append(_ request: RespRequest) -> Bool {
        guard size <= RespLimits.bulkBytesMax else { return false }
        // An empty one takes memory too.
        size += request.bytes.readableBytes + 32
        last.append(request.detached)
        if last.count == 256 {
            full.append(last)
            last = []
        }
        return true
    }
}
