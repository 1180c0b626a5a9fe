import CFSGeneration1
import CFSModel
import CFSProtocol
import CFSProtocol1
import CFSRing
import NIOCore
public import ONCRPC

extension Generation1 {
    public static func gateway(_ keeper: any BlockKeeper) -> RPCService {
        var service = RPCService(Gateway1.program)
        service.on(Gateway1.insert) { insertion, _ in
            guard let type = BlockType(insertion.kind) else { return .failed(.error) }
            let data = Array(insertion.block.readableBytesView)
            switch await keeper.insert(data, BlockKey(insertion.key, type), until: 0) {
            case .success(let path): return .stored(path: path.suffix(GatewayLimits.pathMax).map(\.id))
            case .failure(let failure): return .failed(failure.status1)
            }
        }
        service.on(Gateway1.retrieve) { retrieval, _ in
            guard let type = BlockType(retrieval.kind) else { return .failed(.error) }
            let clock = ContinuousClock()
            let began = clock.now
            switch await keeper.fetch(BlockKey(retrieval.key, type)) {
            case .success(let block):
                return .found(
                    Gateway1.Block(
                        ByteBuffer(bytes: block.data), kind: retrieval.kind, hops: Int32(clamping: block.path.count),
                        errors: Int32(clamping: block.errors), retries: Int32(clamping: block.retries),
                        times: [UInt32(clamping: (clock.now - began).microseconds / 1000)],
                        path: block.path.suffix(GatewayLimits.pathMax).map(\.id)))
            case .failure(let failure): return .failed(failure.status1)
            }
        }
        return service
    }
}

extension KeeperFailure {
    fileprivate var status1: Gateway1.Status {
        switch self {
        case .ring(let failure): failure.status1
        case .timedOut: .timedOut
        case .unavailable: .error
        }
    }
}
