import Glibc
import Synchronization

/// A descriptor that the program which this process executes next goes on with, under the same number.
///
/// In a state that is encoded with ``InheritedDescriptors``, it is kept open over the execution; decoding it there makes
/// sure that it is open, and closes it on further executions. Who decodes it owns it.
package struct InheritedDescriptor: Sendable, Hashable, Codable {
    /// Its number.
    package let number: Int32

    /// An open descriptor of this process. It stays the caller's until another program is executed.
    package init(_ number: Int32) { self.number = number }

    package init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int32.self)
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "descriptor \(number) is not open"))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        (encoder.userInfo[InheritedDescriptors.key] as? InheritedDescriptors)?.add(number)
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

/// Collects the descriptors of a state while it is encoded, as the encoder's `userInfo[key]`. Thread-safe.
package final class InheritedDescriptors: Sendable {
    /// Where an encoder has it.
    package static let key: CodingUserInfoKey = {
        guard let key = CodingUserInfoKey(rawValue: "VersionKit.InheritedDescriptors") else {
            preconditionFailure("every name is one for a key")
        }
        return key
    }()
    private let numbers = Mutex<Set<Int32>>([])

    package init() {}

    /// Adds one that is not in the state.
    package func add(_ number: Int32) { numbers.withLock { _ = $0.insert(number) } }

    /// Has all of them stay open when the next program is executed, or none.
    package func keepOpen() { for number in numbers.withLock({ $0 }) { _ = fcntl(number, F_SETFD, 0) } }

    /// Undoes ``keepOpen()``: nothing was executed.
    package func closeOnExecution() {
        for number in numbers.withLock({ $0 }) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }
}
