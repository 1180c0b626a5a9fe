import CLinux
import Glibc
import Synchronization
import VersionKitProcesses

/// A descriptor that is closed with its last user, unless it was handed over.
final class KernelDescriptor: Sendable {
    /// The number.
    let number: Int32
    private let isHandedOver = Atomic(false)

    /// Takes over a descriptor that a call returned; the call failed if it is negative.
    init(_ number: Int32, _ operation: String) throws(SystemError) {
        if number < 0 { throw SystemError(operation) }
        self.number = number
    }

    /// Goes on with one that was handed over.
    init(_ descriptor: InheritedDescriptor) { number = descriptor.number }

    deinit { if !isHandedOver.load(ordering: .acquiring) { close(number) } }

    /// From now on it is somebody else's to close.
    func handOver() -> InheritedDescriptor {
        isHandedOver.store(true, ordering: .releasing)
        return InheritedDescriptor(number)
    }
}

/// A program at an interface, until this is gone, unless it was handed over.
final class KernelAttachment: Sendable {
    private let descriptor: KernelDescriptor
    private let isHandedOver = Atomic(false)

    /// Takes over the descriptor of an attachment.
    init(_ descriptor: KernelDescriptor) { self.descriptor = descriptor }

    /// To close the descriptor does not detach at once: another thread's child may be between fork and exec, and holds it
    /// for a while. Then the same program could not be attached again.
    deinit { if !isHandedOver.load(ordering: .acquiring) { _ = vk_bpf_detach(descriptor.number) } }

    /// From now on it is somebody else's to detach.
    func handOver() -> InheritedDescriptor {
        isHandedOver.store(true, ordering: .releasing)
        return descriptor.handOver()
    }

    /// Puts another program there; no packet passes in between. Nothing happens if the interface is gone.
    func replace(with program: KernelDescriptor) throws(KernelPathError) {
        guard vk_bpf_replace(descriptor.number, program.number) < 0, errno != ENOLINK else { return }
        throw KernelPathError("\(SystemError("replace a program"))")
    }
}

/// Loads a program and answers its descriptor. If the kernel refuses it, the error says what its verifier did not like.
func loadProgram(
    _ name: String, for hook: vk_bpf_hook = vk_bpf_packets, _ code: [UInt8]
) throws(KernelPathError) -> KernelDescriptor {
    let count = code.count / 8
    let descriptor = vk_bpf_load(name, hook, code, count, nil, 0)
    if descriptor < 0 {
        let refusal = errno
        // Once more, for the reason. Its end is what matters, and a log that is cut short keeps just that.
        var log = [CChar](repeating: 0, count: 1 << 16)
        let again = vk_bpf_load(name, hook, code, count, &log, log.count)
        if again >= 0 { close(again) }
        let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let end = text.split(separator: "\n").suffix(12).joined(separator: "\n")
        throw KernelPathError("\(SystemError("load \(name)", code: refusal))\n\(end)", isUnsupported: true)
    }
    do { return try KernelDescriptor(descriptor, "load") } catch { throw KernelPathError("\(error)") }
}

/// How many values an entry of a table per processor has: as many as there may ever be processors.
struct PossibleProcessors {
    /// How many.
    let count: Int

    /// Of this machine; `nil` if the kernel does not say.
    static let here: PossibleProcessors? = (try? readSmallFile("/sys/devices/system/cpu/possible"))
        .flatMap { PossibleProcessors(list: $0) }

    /// Those of a list such as `0-3,6`; `nil` if it is none.
    init?(list: String) {
        var count = 0
        let text = list.hasSuffix("\n") ? list.dropLast() : list[...]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
                return nil
            }
            count += Int(last - first) + 1
        }
        self.count = count
    }

    private static func readSmallFile(_ path: String) throws(SystemError) -> String {
        let file = try KernelDescriptor(open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file.number, &bytes, bytes.count)
        if count < 0 { throw SystemError("read \(path)") }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
