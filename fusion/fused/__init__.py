"""Several modalities in one model: early, late and stacked fusion, and what each modality adds."""
