import Glibc

/// Lines for whoever runs a proxy, on standard error: `versiond` keeps them in a file. They are few.
enum ProxyLog {
    static func note(_ line: String) {
        // Nobody reads it if it cannot be written.
        _ = "proxy: \(line)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
