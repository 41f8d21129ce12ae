"""What a derived DICOM image takes over from its source: a list of what may pass, so that nothing else does.

Private tags, overlays and whatever describes the source's pixels stay behind. Keywords are those of DICOM PS3.6.
"""

from __future__ import annotations


def _keywords(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CODING = ("SpecificCharacterSet", "TimezoneOffsetFromUTC")
PATIENT = _keywords(
    "PatientName PatientID IssuerOfPatientID TypeOfPatientID IssuerOfPatientIDQualifiersSequence "
    "ReferencedPatientSequence PatientBirthDate PatientBirthTime PatientSex QualityControlSubject OtherPatientIDs "
    "OtherPatientIDsSequence OtherPatientNames EthnicGroup PatientComments PatientSpeciesDescription "
    "PatientSpeciesCodeSequence PatientBreedDescription PatientBreedCodeSequence BreedRegistrationSequence "
    "ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization PatientIdentityRemoved DeidentificationMethod "
    "DeidentificationMethodCodeSequence ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName "
    "ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID"
)
STUDY = _keywords(
    "StudyInstanceUID StudyDate StudyTime ReferringPhysicianName ReferringPhysicianIdentificationSequence StudyID "
    "AccessionNumber IssuerOfAccessionNumberSequence StudyDescription PhysiciansOfRecord "
    "NameOfPhysiciansReadingStudy ConsultingPhysicianName ReferencedStudySequence ProcedureCodeSequence "
    "RequestingService AdmittingDiagnosesDescription PatientAge PatientSize PatientWeight MedicalAlerts Allergies "
    "SmokingStatus AdditionalPatientHistory PregnancyStatus LastMenstrualDate PatientSexNeutered Occupation "
    "PatientState AdmissionID IssuerOfAdmissionIDSequence ServiceEpisodeID ClinicalTrialTimePointID "
    "ClinicalTrialTimePointDescription"
)
SERIES = _keywords("Modality Laterality BodyPartExamined PatientPosition ProtocolName AnatomicalOrientationType")
FRAME = _keywords("FrameOfReferenceUID PositionReferenceIndicator")
PLANE = _keywords(
    "Rows Columns PixelSpacing ImageOrientationPatient ImagePositionPatient SliceThickness SpacingBetweenSlices "
    "SliceLocation"
)
IMAGE = _keywords(
    "SOPClassUID AcquisitionNumber AcquisitionDate AcquisitionTime AcquisitionDateTime LossyImageCompression "
    "LossyImageCompressionRatio LossyImageCompressionMethod BurnedInAnnotation RecognizableVisualFeatures "
    "ContrastBolusAgent ContrastBolusAgentSequence ContrastBolusRoute ContrastBolusVolume ContrastBolusTotalDose"
)
MR = _keywords(
    "ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName AngioFlag RepetitionTime EchoTime "
    "EchoTrainLength InversionTime TriggerTime NumberOfAverages ImagingFrequency ImagedNucleus EchoNumbers "
    "MagneticFieldStrength NumberOfPhaseEncodingSteps PercentSampling PercentPhaseFieldOfView PixelBandwidth "
    "ReconstructionDiameter ReceiveCoilName TransmitCoilName AcquisitionMatrix InPlanePhaseEncodingDirection FlipAngle "
    "SAR VariableFlipAngleFlag dBdt TemporalPositionIdentifier NumberOfTemporalPositions"
)
CT = _keywords(
    "KVP ScanOptions DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector DistanceSourceToPatient "
    "GantryDetectorTilt TableHeight RotationDirection ExposureTime XRayTubeCurrent Exposure FilterType "
    "ConvolutionKernel RevolutionTime SingleCollimationWidth TotalCollimationWidth TableSpeed SpiralPitchFactor "
    "RescaleType"
)
WINDOW = _keywords("WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction")
EQUIPMENT = _keywords(
    "Manufacturer InstitutionName InstitutionAddress StationName InstitutionalDepartmentName ManufacturerModelName "
    "DeviceSerialNumber SoftwareVersions"
)
"""Goes into the derived image as the acquisition's equipment; the derived image itself was made by this software."""
MAY_BE_EMPTY = _keywords(
    "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID "
    "AccessionNumber PatientPosition PositionReferenceIndicator SliceThickness"
)
"""Must be there, if need be empty (type 2)."""
MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
BY_CLASS = {MR_STORAGE: MR, CT_STORAGE: CT}
"""Kinds of series that a derived series can be written from."""
