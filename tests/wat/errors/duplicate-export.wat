(module (memory 1) (export "a" (memory 0)) (export "b" (memory 0)) (export "a" (memory 0)))
;;= all: invalid
;;=   DuplicateExport { index: 2 }
;;=   duplicate export name: export 2 repeats an earlier one (at offset 0x19, while reading the export section)
