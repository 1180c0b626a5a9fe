import CFSModel
import CFSProtocol
import CFSProtocol2
import ONCRPC
public import VersionKit

/// Shows the clients of a CFS gateway, of either generation, one consistent store while two rings run side by side.
///
/// The paper's rules (S 4.1, R23), where it leaves open what a client sees: a block goes to both rings; a block of
/// content is asked for in the newest ring first, and in the old one if that does not have it; a signed block is asked
/// for in both, and the greater version counts. Whatever is given back was verified against its name, and a block that
/// is not what its name promises counts as a failure of the ring that gave it.
public struct CFSAdapter: MessageAdapter {
    /// The first version whose gateway speaks as in 2008.
    static let generation2: Version = 2

    /// The adapter; it has no state.
    public init() {}

    /// An insertion is of 2004 if it can be read so and the block is what its name promises. Retrievals are the same in
    /// both, and so are their replies but for a word (see README.md): they are taken for those of 2004.
    public func identifyClient(_ bytes: inout PeekBuffer) throws(ProxyError) -> Version? {
        guard let record = try bytes.peekRecord(lengthMax: GatewayCalls.recordMax, orThrow: ProxyError.malformedRequest)
        else { return nil }
        guard let request = try? GatewayCalls.request(record, isOf2004: true) else { return 1 }
        switch request.kind {
        case .insert(let block) where BlockProof(block.block, kind: block.kind, named: block.key) == .wrong: return 2
        case .refused(.garbageArguments): return 2
        default: return 1
        }
    }

    public func parseRequest(_ bytes: inout PeekBuffer, from client: Version) throws(ProxyError) -> CFSRequest? {
        guard let record = try bytes.peekRecord(lengthMax: GatewayCalls.recordMax, orThrow: ProxyError.malformedRequest)
        else { return nil }
        do throws(XDRError) {
            return try GatewayCalls.request(record, isOf2004: client < Self.generation2)
        } catch {
            throw .malformedRequest("\(error)")
        }
    }

    public func parseReply(
        _ bytes: inout PeekBuffer, to request: CFSRequest, from version: Version
    ) throws(ProxyError) -> CFSReply? {
        guard let record = try bytes.peekRecord(lengthMax: GatewayCalls.recordMax, orThrow: ProxyError.malformedReply)
        else { return nil }
        do throws(XDRError) {
            return try GatewayCalls.reply(record, to: request, isOf2004: version < Self.generation2)
        } catch {
            throw .malformedReply("\(error)")
        }
    }

    public func dispatch(
        _ request: inout CFSRequest, _ context: inout DispatchContext<NoSession>
    ) -> Dispatch<CFSReply> {
        switch request.kind {
        case .insert(let block): .all(.key(ByteBuffer(string: "\(block.key)")))
        case .retrieve(let what): what.kind == .keyHash ? .choose : .newestFirst
        case .ping: .newestFirst
        case .refused(let why): .answer(.refused(why))
        }
    }

    public func judge(_ reply: CFSReply) -> Verdict {
        switch reply {
        case .retrieved(_, proof: .wrong), .refused: .failure
        case .inserted(.stored), .retrieved(.found, _), .pong: .answer
        case .inserted(.failed(.stale)), .inserted(.failed(.storeNotVerified)): .rejection
        case .retrieved(.failed(.noEntry), _): .miss
        case .inserted(.failed), .retrieved(.failed, _): .failure
        }
    }

    /// The signed block with the greatest version, of equal ones the newest ring's.
    public func choose(_ replies: [(version: Version, reply: CFSReply)], to request: CFSRequest) -> Int {
        let proofs = replies.map { if case .retrieved(_, let proof) = $0.reply { proof } else { BlockProof.none } }
        return replies.indices.max { (proofs[$0], $0) < (proofs[$1], $1) } ?? 0
    }

    /// A ring that has a newer signed block already is ahead, not astray.
    public func agree(_ one: CFSReply, _ other: CFSReply, on request: CFSRequest) -> Bool {
        [one, other].contains(.inserted(.failed(.stale))) || judge(one) == judge(other)
    }

    /// A ring that is down holds nobody up: it gets what it missed.
    public var writePolicy: WritePolicy { .catchUp }

    /// A block that is stored twice is stored; what is appended twice is there twice.
    public func isIdempotent(_ request: CFSRequest) -> Bool {
        if case .insert(let block) = request.kind { block.kind != .append } else { true }
    }

    public func failure(_ error: ProxyError, of request: CFSRequest) -> CFSReply {
        switch request.kind {
        case .insert: .inserted(.failed(.rpcError))
        case .retrieve: .retrieved(.failed(.rpcError))
        case .ping, .refused: .refused(.systemError)
        }
    }

    /// What is asked for in a retrieval of content or of a signed block has the same bytes in both generations.
    public func forwards(_ request: CFSRequest, from client: Version, to version: Version) -> Bool {
        if case .retrieve(let what) = request.kind, [.contentHash, .keyHash].contains(what.kind) { return true }
        return (client < Self.generation2) == (version < Self.generation2)
    }

    public func forwards(
        _ reply: CFSReply, to request: CFSRequest, from version: Version, for client: Version
    ) -> Bool { (client < Self.generation2) == (version < Self.generation2) }

    public func encode(_ request: CFSRequest, for version: Version) throws(ProxyError) -> ByteBuffer {
        do throws(XDRError) {
            return try GatewayCalls.encode(request, isFor2004: version < Self.generation2)
        } catch {
            throw .malformedRequest("\(error)")
        }
    }

    public func encode(
        _ reply: CFSReply, to request: CFSRequest, for client: Version
    ) throws(ProxyError) -> ByteBuffer {
        do throws(XDRError) {
            return try GatewayCalls.encode(reply, xid: request.xid, isFor2004: client < Self.generation2)
        } catch {
            throw .malformedReply("\(error)")
        }
    }
}
