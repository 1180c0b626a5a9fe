import Glibc

/// Where on the node the files of a Xen environment are, or those of a snapshot.
struct XenPlace: Sendable, Hashable {
    let base: String
    /// The disk that the version writes to.
    var data: String { base + "/data.img" }
    /// The disk with its durable state, if that is kept apart.
    var state: String { base + "/state.img" }
    /// The disk with the programs of VersionKit.
    var tools: String { base + "/tools.img" }
    /// The slot, while there is a link: whoever removes the environment knows its name only.
    var slot: String { base + "/slot" }
    /// The domain's memory, in a snapshot.
    var memory: String { base + "/memory" }
    /// Where files are put together before a disk is made of them.
    var scratch: String { base + "/scratch" }

    /// The disk of a layer, the topmost is 0.
    func layer(_ index: Int) -> String { "\(base)/layer-\(index).img" }

    /// The disks that are written to, as far as they are there.
    var writtenDisks: [String] { [data, state].filter { access($0, F_OK) == 0 } }

    /// The disks that are only read, as far as they are there.
    func readOnlyDisks() throws(IsolationError) -> [String] {
        try namesOfFiles(in: base).filter { $0.hasPrefix("layer-") || $0 == "tools.img" }
    }
}
