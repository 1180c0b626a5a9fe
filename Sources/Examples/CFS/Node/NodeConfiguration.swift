import CFSModel
public import CFSRing
import CFSStore
import Glibc
public import ONCRPC
public import ONCRPCSockets

/// How a process of nodes is set up.
public struct NodeConfiguration: Sendable {
    /// The IPv4 address at which other nodes reach it: ids follow from it.
    public var host: String
    /// The address to which it binds, where that is another one: somebody translates. Gateways bind to what they say.
    public var boundHost: String?
    /// The UDP port; 0: any that is free, which makes ids of their own each time.
    public var port: Int
    /// How many virtual nodes there are, 1 to 1024.
    public var virtualNodes = 1
    /// The address of a process of the ring to join; nil, or its own: a ring is begun.
    public var bootstrap: (host: String, port: Int)?
    /// Where blocks are kept.
    public var directory: String
    /// Bytes of blocks kept at most.
    public var storeBytes = StoreLimits.bytes
    /// Where clients find the gateway.
    public var gateways: [RPCAddress] = []
    /// Where lsdctl finds it.
    public var control: RPCAddress?
    /// Times and sizes of the ring.
    public var chord: ChordParameters
    /// The same of the blocks.
    public var dhash: DHashParameters
    /// How often another node is asked the same before it counts as dead: at 0, 0.5, 1.5 and 3.5 s, given up after 7.5 s; later
    /// if it usually takes longer to answer.
    public var patience = RPCPatience(firstTime: .milliseconds(500), attempts: 4)
    /// What time it is, in seconds since 1970: looked at each second, blocks expire by it.
    public var timeOfDay: @Sendable () -> Int64 = systemTime

    /// A process of nodes of a generation at an address, with its blocks in a directory.
    public init(_ generation: any RingGeneration.Type, host: String, port: Int, directory: String) {
        (chord, dhash) = (generation.chord, generation.dhash)
        self.host = host
        self.port = port
        self.directory = directory
    }

    /// The system's clock.
    public static let systemTime: @Sendable () -> Int64 = {
        var time = timespec()
        // It is always there, and where it writes to is, too.
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }
}
