import NIOCore
import VersionKitModel
import VersionKitProxy

/// What the library does with versions on its own account: send missed writes again, and, where the adapter is a
/// ``KeyedAdapter``, list, copy and compare keys.
///
/// Implementations are thread-safe, keep one connection per version, and open it again when it was lost.
protocol VersionAccess: Sendable {
    /// Whether keys can be copied; the methods about keys are not called otherwise.
    var copiesKeys: Bool { get }

    /// Whether it is known what a version misses, and can be sent to it later.
    var replays: Bool { get }

    /// Returns if the version answers.
    func probe(_ end: VersionEnd) async throws

    /// Sends writes again, in order.
    ///
    /// - Parameter sending: called when the version is reached and nothing is sent yet; if it throws, nothing is.
    /// - Returns: how many of them the version refused to do.
    /// - Throws: if the version is lost; if `sending` was called, which writes it did is then unknown.
    func replay(_ writes: [MissedWrite], to end: VersionEnd, sending: () throws -> Void) async throws -> Int

    /// Gives up the connection to a version: whoever is asked next is another one.
    func disconnect(_ version: Version)

    /// Visits all keys of a version, a page at a time.
    func visitKeys(of end: VersionEnd, _ visit: @Sendable ([ByteBuffer]) async throws -> Void) async throws

    /// Gives keys in one version the state that they have in another.
    func copy(_ keys: [ByteBuffer], from source: VersionEnd, to target: VersionEnd) async throws

    /// The keys whose state differs.
    func differing(_ keys: [ByteBuffer], _ one: VersionEnd, _ other: VersionEnd) async throws -> [ByteBuffer]

    /// Connects to a version, and returns when that connection has ended, for whatever reason.
    ///
    /// - Parameter opened: called when it is connected.
    func watch(_ end: VersionEnd, opened: () -> Void) async throws
}

/// A version and where it serves clients.
struct VersionEnd: Sendable, Hashable {
    var version: Version
    var endpoint: Endpoint
}

/// Of callbacks at the papers' height, which never say that a version missed something.
struct NoAccess: VersionAccess {
    var copiesKeys: Bool { false }
    var replays: Bool { false }
    func probe(_ end: VersionEnd) async throws {}
    func replay(_ writes: [MissedWrite], to end: VersionEnd, sending: () throws -> Void) async throws -> Int {
        writes.count
    }
    func disconnect(_ version: Version) {}
    func visitKeys(of end: VersionEnd, _ visit: @Sendable ([ByteBuffer]) async throws -> Void) async throws {}
    func copy(_ keys: [ByteBuffer], from source: VersionEnd, to target: VersionEnd) async throws {}
    func differing(_ keys: [ByteBuffer], _ one: VersionEnd, _ other: VersionEnd) async throws -> [ByteBuffer] { [] }
    func watch(_ end: VersionEnd, opened: () -> Void) async throws {}
}
