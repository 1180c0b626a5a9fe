/// What a machine has beside the files of every environment. Its process works in a directory of its own, which is all of
/// the node's that it may write to.
extension Place {
    var machine: String { base + "/machine" }
    /// What the version has written, block by block.
    var disk: String { machine + "/" + UMLMachine.disk }
    /// The file system below it, which other environments may share. The disk is worth nothing without it.
    var layers: String { machine + "/" + UMLMachine.layers }
    /// What the machine boots from.
    var bootDisk: String { machine + "/" + UMLMachine.bootDisk }

    var machineProcess: MachineProcess { MachineProcess(directory: machine, kernel: process) }
    var console: ManagementConsole { ManagementConsole(directory: machine) }
}
