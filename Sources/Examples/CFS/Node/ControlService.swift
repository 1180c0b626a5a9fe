import CFSModel
import CFSProtocol1
import CFSGeneration1
import CFSRing
import ONCRPC

extension NodeCore {
    /// The program that lsdctl speaks.
    ///
    /// - Parameter exit: Ends the process.
    nonisolated func controlService(exit: @escaping @Sendable () -> Void) -> RPCService {
        var service = listingService()
        service.on(Control1.exit) { _, _ in
            exit()
            return XDRVoid()
        }
        service.on(Control1.setStabilize) { isOn, _ in await self.setStabilizing(isOn) }
        service.on(Control1.setReplicate) { wish, _ in await self.setReplicating(wish.isEnabled) }
        service.on(Control1.statistics) { clearing, _ in await self.statistics(clearing: clearing) }
        return service
    }

    /// What of it changes nothing: for whoever finds the gateway, too.
    nonisolated func listingService() -> RPCService {
        var service = RPCService(Control1.program)
        service.on(Control1.locationTable) { index, _ throws(RPCRefusal) in
            Control1.Nodes(try Self.known(await self.locations(of: Int(index))))
        }
        service.on(Control1.successors) { index, _ throws(RPCRefusal) in
            Control1.Nodes(try Self.known(await self.successors(of: Int(index))))
        }
        service.on(Control1.ownNodes) { _, _ in Control1.Nodes(await self.ownNodes()) }
        service.on(Control1.store) { _, _ in await self.store() }
        service.on(Control1.blocks) { question, _ throws(RPCRefusal) in
            guard let type = BlockType(question.kind) else { throw .garbageArguments }
            let names = await self.blocks(of: Int(question.node), type, after: question.after)
            return Control1.BlocksResult(try Self.known(names))
        }
        return service
    }

    /// There is no virtual node of that number.
    private static func known<Value>(_ value: Value?) throws(RPCRefusal) -> Value {
        guard let value else { throw .garbageArguments }
        return value
    }
}
