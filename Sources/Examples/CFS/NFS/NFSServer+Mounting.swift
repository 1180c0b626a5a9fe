import CFSFiles
import NFS3
import ONCRPC

/// How callers get their first handle: any directory may be mounted, by anybody. Who has mounted what is not kept.
extension NFSServer {
    /// The flavors of RPC by which callers may say who they are: it makes no difference.
    private static var flavors: [UInt32] {
        [RPCAuthentication.Flavor.system, RPCAuthentication.Flavor.none].map(\.rawValue)
    }

    var mountService: RPCService {
        var service = RPCService(Mount.program)
        service.on(Mount.mount) { path, _ async throws(RPCRefusal) in await self.mount(path) }
        service.on(Mount.dump) { _, _ async throws(RPCRefusal) in Mount.Mounts([]) }
        service.on(Mount.unmount) { _, _ async throws(RPCRefusal) in XDRVoid() }
        service.on(Mount.unmountAll) { _, _ async throws(RPCRefusal) in XDRVoid() }
        service.on(Mount.exports) { _, _ async throws(RPCRefusal) in
            Mount.Exports([Mount.Exports.Item(Mount.Path("/"))])
        }
        return service
    }

    private func mount(_ path: Mount.Path) async -> Mount.Answer {
        do {
            let files = try await published.current()
            let found = try await files.walk(path.bytes)
            guard found.inode.isDirectory else { return .failed(.notDirectory) }
            return .mounted(seal.handle(handle(found.handle, in: files)), flavors: Self.flavors)
        } catch {
            switch status(error) {
            case .noEntry: return .failed(.noEntry)
            case .notDirectory: return .failed(.notDirectory)
            case .invalid: return .failed(.invalid)
            case .serverFault: return .failed(.serverFault)
            default: return .failed(.io)
            }
        }
    }
}
