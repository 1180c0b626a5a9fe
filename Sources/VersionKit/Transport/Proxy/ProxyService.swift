import NIOCore
public import VersionKitModel
public import VersionKitProxy

/// What an adapter is to the engine, without its type.
///
/// Made by inlinable code, so that the state machine of a connection is compiled for the adapter's own types, in the
/// module that brings both together: as generic code it costs several times as much per request.
public struct ProxyService: Sendable {
    let limits: Limits
    let makeCallbacks: @Sendable () -> AnyProxyCallbacks
    let makeAccess: @Sendable (any EventLoopGroup) -> any VersionAccess

    /// An adapter's service.
    @inlinable
    public init<Adapter: MessageAdapter>(_ adapter: Adapter, limits: Limits) {
        self.init(adapter, limits) { AnyProxyCallbacks(MessageProxy(adapter, limits: limits)) }
    }

    /// Callbacks at the papers' height.
    @inlinable
    public init<Callbacks: ProxyCallbacks>(limits: Limits, makeCallbacks: @escaping @Sendable () -> Callbacks) {
        self.init(limits) { AnyProxyCallbacks(makeCallbacks()) }
    }

    @usableFromInline
    init<Adapter: MessageAdapter>(
        _ adapter: Adapter, _ limits: Limits, _ makeCallbacks: @escaping @Sendable () -> AnyProxyCallbacks
    ) {
        self.limits = limits
        self.makeCallbacks = makeCallbacks
        makeAccess = { group in
            if let keyed = adapter as? any KeyedAdapter { return Self.makeAccess(keyed, group, limits) }
            return AdapterAccess(adapter, group: group, limits: limits)
        }
    }

    @usableFromInline
    init(_ limits: Limits, _ makeCallbacks: @escaping @Sendable () -> AnyProxyCallbacks) {
        self.limits = limits
        self.makeCallbacks = makeCallbacks
        makeAccess = { _ in NoAccess() }
    }

    private static func makeAccess<Adapter: KeyedAdapter>(
        _ adapter: Adapter, _ group: any EventLoopGroup, _ limits: Limits
    ) -> any VersionAccess {
        AdapterAccess(adapter, group: group, limits: limits, keys: KeyedRequests<Adapter>())
    }
}
