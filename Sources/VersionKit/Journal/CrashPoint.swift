import FoundationEssentials
import Glibc
import Synchronization

/// Where a test may end versiond by force, or have it stand still: before each write of the journal, and before each effect.
///
/// Nothing happens unless the variable ``variable`` of versiond's environment names a file. Then each boundary counts the
/// number in that file down, and the process ends by SIGKILL when it comes to 0, as if the machine had been switched off
/// there. With ``pause`` behind the number it is stopped instead, for something to happen before it goes on. Whoever may set variables of versiond's may kill it anyhow, so this opens nothing to anybody; and it is the
/// program as it is shipped that is tested. Thread-safe.
package enum CrashPoint {
    /// The variable with the path of the file.
    package static let variable = "VERSIONKIT_CRASH_POINTS"

    /// What stands behind the number if versiond is to be stopped rather than ended.
    package static let pause = "pause:"

    private static let file: String? = getenv(variable).map { String(cString: $0) }
    private static let lock = Mutex(())

    /// versiond is about to do this. The file gets its name, so that a test can say where it ended.
    package static func reach(_ name: @autoclosure () -> String) {
        guard let file else { return }
        lock.withLock { _ in
            // Not armed: no file, or a number that was counted down already.
            guard let text = try? String(contentsOfFile: file, encoding: .utf8), let left = number(text), left > 0,
                let stream = fopen(file, "we")
            else { return }
            let pauses = text.drop { $0.isNumber }.hasPrefix(" " + pause)
            fputs("\(left - 1) \(pauses ? pause + " " : "")\(name())\n", stream)
            fclose(stream)
            guard left == 1 else { return }
            // To this thread itself: another one could take it a little later.
            if pauses { raise(SIGSTOP) } else { kill(getpid(), SIGKILL) }
        }
    }

    /// How many boundaries an armed file still lets pass; `nil`: there is none.
    package static func left(in file: String) -> Int? {
        (try? String(contentsOfFile: file, encoding: .utf8)).flatMap(number)
    }

    private static func number(_ text: String) -> Int? { Int(text.prefix { $0.isNumber }) }
}
