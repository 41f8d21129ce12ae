"""What leaves the scene: image files, segmentations, DICOM."""
