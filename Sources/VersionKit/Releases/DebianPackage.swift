internal import VersionKitModel

/// A `.deb` file as the input of a release: its files become a layer. Nothing of its scripts is run, here or on a node.
struct DebianPackage {
    private static let fieldsBytesMax = 4096

    let path: String
    let runner: any CommandRunner

    /// Writes its files as a tar archive, as they are in it.
    ///
    /// - Parameter bytesMax: the most that the archive may have: the file cannot become longer.
    func writeArchive(to archive: String, bytesMax: UInt64) async throws(ReleaseError) {
        try await write(["--fsys-tarfile", path], to: archive, bytesMax: bytesMax)
    }

    /// Its name and version.
    ///
    /// - Parameter temporary: a path for a file that is there for a moment.
    func identity(by temporary: String) async throws(ReleaseError) -> ReleaseManifest.Layer.Package {
        defer { Disk.removeFile(temporary) }
        try await write(
            ["--show", "--showformat=${Package}\\n${Version}\\n", path], to: temporary,
            bytesMax: UInt64(Self.fieldsBytesMax))
        let text = String(decoding: try Disk.readFile(temporary, bytesMax: Self.fieldsBytesMax), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 3, !lines[0].isEmpty, !lines[1].isEmpty else {
            throw ReleaseError(
                .malformed, "\(path) does not say which package it is", side: .publisher,
                remedy: "build the package again")
        }
        return ReleaseManifest.Layer.Package(name: lines[0], version: lines[1])
    }

    private func write(_ arguments: [String], to output: String, bytesMax: UInt64) async throws(ReleaseError) {
        let script = #"output=$1; shift; exec dpkg-deb "$@" > "$output""#
        try await runner.runToSuccess(
            "prlimit", ["--fsize=\(bytesMax + 1)", "--", "sh", "-c", script, "sh", output] + arguments)
    }
}
