import CLinux
import Glibc

/// Another program in the place of this one: the same process, the same children, and those descriptors that are kept.
package enum Succession {
    /// Executes the first of these programs that can be executed; then it does not return. All other threads end.
    ///
    /// - Parameters:
    ///   - arguments: the program's, without its own name.
    ///   - descriptors: what stays open beside 0, 1 and 2; everything else is closed.
    /// - Returns: why none could be executed, in their order. Then all is as before.
    package static func execute(
        _ programs: [String], _ arguments: [String], keeping descriptors: InheritedDescriptors
    ) -> [SystemError] {
        guard vk_close_range_on_exec(UInt32(STDERR_FILENO + 1), .max) == 0 else { return [SystemError("close_range")] }
        descriptors.keepOpen()
        defer { descriptors.closeOnExecution() }
        // The threads of Swift's pool block every signal. These three wait until the program has said what they mean.
        var waiting = sigset_t()
        var before = sigset_t()
        sigemptyset(&waiting)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&waiting, number) }
        pthread_sigmask(SIG_SETMASK, &waiting, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return programs.map { program in
            withCStrings([program] + arguments) { arguments in
                withCStrings(ChildProcess.environment) { environment in
                    execve(program, arguments, environment)
                    return SystemError("execute \(program)")
                }
            }
        }
    }

    /// Whether one of these signals came while the program was executed and still waits.
    package static func isWaiting(_ signals: [Int32]) -> Bool {
        var waiting = sigset_t()
        guard sigpending(&waiting) == 0 else { return false }
        return signals.contains { sigismember(&waiting, $0) == 1 }
    }

    /// Closes what the program before kept open and nobody has taken over: a descriptor that was decoded as an
    /// ``InheritedDescriptor`` is its owner's.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package static func closeUnclaimed() -> Int {
        var count = 0
        for number in openDescriptors() where number > STDERR_FILENO && fcntl(number, F_GETFD) == 0 {
            close(number)
            count += 1
        }
        return count
    }

    /// Closes all that the program before kept open, taken over or not, and waits until its children have ended, which is
    /// what children do that hear of nobody any more; after some time they are made to.
    package static func abandon(_ inherited: [Int32], patience milliseconds: Int32) {
        for number in inherited { close(number) }
        let children = childProcesses().map { vk_pidfd_open($0) }.filter { $0 >= 0 }
        for (index, child) in children.enumerated() {
            var watched = pollfd(fd: child, events: Int16(POLLIN), revents: 0)
            let isLate = poll(&watched, 1, milliseconds) == 0
            // Whoever comes behind one that was late was given its time already.
            if isLate { for late in children[index...] { _ = vk_pidfd_send_signal(late, SIGKILL) } }
            var code: Int32 = 0
            var number: Int32 = 0
            _ = vk_wait(child, false, &code, &number)
            close(child)
        }
    }

    /// The descriptors that the program before kept open; to be asked before any is taken over.
    package static func inheritedDescriptors() -> [Int32] {
        openDescriptors().filter { $0 > STDERR_FILENO && fcntl($0, F_GETFD) == 0 }
    }

    private static func openDescriptors() -> [Int32] {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var numbers: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name), number != dirfd(directory) { numbers.append(number) }
        }
        return numbers
    }

    /// All children are those of the first thread after an execution.
    private static func childProcesses() -> [Int32] {
        guard let file = fopen("/proc/self/task/\(getpid())/children", "re") else { return [] }
        defer { fclose(file) }
        var numbers: [Int32] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let pointer = line {
            numbers += String(cString: pointer).split(separator: " ").compactMap { Int32($0) }
        }
        return numbers
    }
}
