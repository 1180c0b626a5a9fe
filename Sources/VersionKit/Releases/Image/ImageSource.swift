/// An image as its builder left it: a directory in OCI layout, or a tar archive of one.
struct ImageSource {
    let path: String
    let limits: ReleaseLimits
    let runner: any CommandRunner

    /// Unpacks it into a directory that is empty.
    func unpack(into directory: String) async throws(ReleaseError) -> ContainerImage {
        var layout = path
        switch try Disk.kind(of: path) {
        case .directory: break
        case .file:
            layout = directory + "/layout"
            _ = try LayerScanner.inspect(path, name: path, limits: limits)
            try Disk.makeDirectory(layout)
            try await runner.runToSuccess("tar", ReleaseStore.tarArguments(path, into: layout))
        default:
            throw ReleaseError(
                .notFound, "there is no image at \(path)", side: .publisher,
                remedy: "name a directory in OCI layout, or a tar archive of one that is not compressed")
        }
        return try await ContainerImage.unpack(layout, into: directory + "/layers", limits: limits, runner: runner)
    }
}
