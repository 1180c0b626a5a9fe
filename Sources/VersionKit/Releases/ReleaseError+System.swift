#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

extension ReleaseError {
    /// The operating system's refusal, in words; to be called before anything else can change `errno`.
    static func system(_ action: String, _ path: String, errno code: Int32 = errno) -> ReleaseError {
        let remedy: String? =
            switch code {
            case ENOSPC, EDQUOT: "free some space on that disk"
            case EACCES, EPERM, EROFS: "check the owner and the mode of the directory"
            case EMFILE, ENFILE: "raise the limit of open files"
            default: nil
            }
        return ReleaseError(
            code == ENOENT ? .notFound : .system, "cannot \(action) \(path) (\(String(cString: strerror(code))))",
            side: .node, isRetrySafe: true, remedy: remedy)
    }
}
