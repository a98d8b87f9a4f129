package dev.obr.compressor.obr;

/** How the squared norms of Wanda's metric are averaged over sequences. */
public enum ScalerVariant {
    /** {@code sum over j of |X_j|² / j}: early sequences weigh more. What OBR's QuaRot and FlatQuant code does. */
    QUAROT,
    /** The mean over sequences: Wanda's own, and what OBR's SpinQuant code does. */
    SPINQUANT
}
