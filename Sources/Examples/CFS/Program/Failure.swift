import CFSClient
import CFSDisk
import CFSFiles
import Glibc

/// What an error is to a shell.
struct Failure {
    /// The exit code, of those that `sysexits.h` has.
    let code: Int32
    /// For people.
    let sentence: String

    static let data: Int32 = 65
    static let noInput: Int32 = 66
    static let unavailable: Int32 = 69
    static let disk: Int32 = 74

    /// nil for what the parser of arguments has to say.
    init?(_ error: any Error) {
        sentence = "\(error)"
        switch error {
        case let error as FileSystemError: code = Self.code(error)
        case let error as GatewayError: code = error.code == .stale ? Self.data : Self.unavailable
        case is DiskError: code = Self.disk
        default: return nil
        }
    }

    private static func code(_ error: FileSystemError) -> Int32 {
        switch error.code {
        case .missing: unavailable
        case .noEntry, .badPath, .notDirectory, .notListable, .notFile, .notLink, .tooManyLinks, .noSnapshot: noInput
        default: data
        }
    }
}
